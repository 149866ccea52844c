import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { start } from './process.ts';
import { describeLab } from './requirements.ts';

const program = fileURLToPath(new URL('../chaos/dist/main.js', import.meta.url));

describeLab('three managers and three etcd members under accidents', () => {
  test('give nothing twice, lose nothing acknowledged, leak nothing', { timeout: 420_000 }, async () => {
    // A minute of faults and some, with the same seed each time; `npm run chaos` takes others, for as long as you like.
    const { code, stdout, stderr } = await start(process.execPath, [program, '--minutes', '1.2', '--seed', '1'])
      .outcome;
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    const [, claims] = /claims: (\d+) done/.exec(stdout) ?? [];
    expect(Number(claims), 'enough to say something').toBeGreaterThan(200);
  });
});
