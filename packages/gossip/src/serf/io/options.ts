import type { CheckedOptions, MemberlistOptions } from '../../io/options.ts';
import { advertised, layersOf } from '../../io/settings.ts';
import type { SerfSettings } from '../context.ts';
import { type SerfProfile, serfDefaults } from '../profile.ts';
import type { Restored } from '../snapshot.ts';
import type { Tags } from '../tags.ts';

export interface SerfOptions extends Omit<MemberlistOptions, 'meta' | 'delegate' | 'delegateVersions'> {
  /** What every node knows of this node: names and values, at most 512 bytes when encoded. */
  readonly tags?: Tags;
  /** Times and counts of serf's layer that differ from serf's defaults. */
  readonly serf?: Partial<SerfProfile>;
  /** A file that lets this node join again after it was stopped. */
  readonly snapshotPath?: string;
  /** Default false: a node that left does not join again by itself. */
  readonly rejoinAfterLeave?: boolean;
}

/** `port`: on which the node listens. */
export function serfSettings(
  options: SerfOptions & CheckedOptions,
  port: number,
  restored: Restored | undefined,
): SerfSettings {
  const { name, profile, tags = {}, serf = {} } = options;
  const address = advertised(options, port);
  return { name, address, profile, tags, serf: { ...serfDefaults, ...serf }, layers: layersOf(options), restored };
}
