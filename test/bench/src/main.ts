import { benchAgent } from './agent.ts';
import { benchAttach } from './attach.ts';
import { benchBurst } from './burst.ts';
import { benchClaims } from './claims.ts';
import { benchDensity } from './density.ts';
import type { Figure } from './figure.ts';
import { benchKernel } from './kernel.ts';
import { benchPool } from './pool.ts';
import { benchRepair } from './repair.ts';
import { benchRestart } from './restart.ts';
import { runBenches } from './run.ts';
import { benchScale } from './scale.ts';

/** In the order they run. */
const benches: Readonly<Record<string, () => Promise<Figure[]>>> = {
  kernel: benchKernel,
  attach: benchAttach,
  burst: benchBurst,
  claims: benchClaims,
  pool: benchPool,
  restart: benchRestart,
  scale: benchScale,
  agent: benchAgent,
  repair: benchRepair,
  density: benchDensity,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error('bench: needs root: it programs kernels and makes labs');
  process.exit(1);
}
const chosen = Object.entries(benches).filter(([name]) => asked.length === 0 || asked.includes(name));
const failed = await runBenches(Object.fromEntries(chosen), {
  figures: (text) => console.log(`\n${text}`),
  say: (text) => console.error(text),
});
process.exitCode = failed.length > 0 ? 1 : 0;
