import { type Answered, pingWhile } from '../../guest/ping-while.ts';
import { onWire } from '../../guest/wire.ts';
import { pingAll, type Scene } from './scene.ts';
import { type Frames, framesOf } from './traffic.ts';

export interface Changes {
  /** A network in use is encrypted, and then not any more, while containers of all hosts ping each other. */
  readonly inUse: {
    readonly pings: readonly Answered[];
    /** On the underlay since the command that encrypts has ended, and since the command that undoes this has ended. */
    readonly encrypted: Frames;
    readonly plain: Frames;
  };
}

export const changes: { readonly [Name in keyof Changes]: (scene: Scene) => Promise<Changes[Name]> } = { inUse };

async function inUse({ lab, plain }: Scene): Promise<Changes['inUse']> {
  const [a, b, c] = plain.containers;
  const update = async (how: '--encrypt' | '--no-encrypt'): Promise<Frames> => {
    const { wire } = await onWire(lab, async (mark) => {
      await lab.run('h1', 'causeway', 'network', 'update', plain.network.name, how, '--timeout', '2m');
      mark();
      await pingAll(lab, plain, '-c', '3', '-i', '0.05');
    });
    return framesOf(wire);
  };
  const around = [
    [a, b],
    [b, c],
    [c, a],
  ] as const;
  const { result, pings } = await pingWhile(lab, around, async () => ({
    encrypted: await update('--encrypt'),
    plain: await update('--no-encrypt'),
  }));
  return { pings, ...result };
}
