import { dropped } from '../../guest/counters.ts';
import { until } from '../../guest/until.ts';
import { reachable, type Scene } from './scene.ts';

/** As `causeway crypto status -o json` prints it. */
export interface CryptoStatus {
  readonly pairs: readonly {
    readonly a: string;
    readonly b: string;
    readonly generation: number;
    readonly sasOk: boolean | null;
    readonly ageSeconds: number;
    readonly esn: boolean;
    readonly replayDrops: number;
    readonly plaintextDrops: number | null;
  }[];
  readonly nextRotation: string | null;
}

/** What operators are shown. */
export interface Shown {
  readonly cryptoStatus: {
    readonly status: CryptoStatus;
    /** Once all hosts have changed to new keys. */
    readonly rotated: CryptoStatus;
    /** Milliseconds until the time that `status` names as that of the next rotation. */
    readonly rotationIn: number;
    /** What the kernels have counted, by host. */
    readonly plaintext: Readonly<Record<string, number>>;
    /** What `causeway doctor` finds. */
    readonly findings: readonly { readonly about: string; readonly problem: string }[];
  };
}

/** After the attacks: the numbers are theirs. */
export const shown: { readonly [Name in keyof Shown]: (scene: Scene) => Promise<Shown[Name]> } = {
  cryptoStatus: async (scene) => {
    const { lab } = scene;
    const read = (): Promise<CryptoStatus> => lab.json('h1', 'crypto', 'status', scene.vault.network.name);
    const plaintext = Object.fromEntries(
      await Promise.all(lab.hosts.map(async (host) => [host, await plaintextDrops(scene, host)] as const)),
    );
    const status = await read();
    const rotationIn = Date.parse(status.nextRotation ?? '') - Date.now();
    const { findings } = await lab.json<{ findings: Shown['cryptoStatus']['findings'] }>('h1', 'doctor');
    await lab.run('h1', 'causeway', 'crypto', 'rotate', '--now', '--timeout', '1m');
    await reachable(scene);
    let rotated = status;
    await until('all pairs have SAs of new keys', async () => {
      rotated = await read();
      return rotated.pairs.every(
        ({ sasOk, generation }, i) => sasOk && generation > (status.pairs[i]?.generation ?? 0),
      );
    });
    return { status, rotated, rotationIn, plaintext, findings };
  },
};

async function plaintextDrops({ lab }: Scene, host: string): Promise<number> {
  const counts = ['XfrmInTmplMismatch', 'XfrmInPolBlock'].map((reason) => dropped(lab, host, reason));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
