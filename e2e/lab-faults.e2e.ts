import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';
import { causeway, Lab } from './topology.ts';

describeLab('the underlay of a lab, broken on purpose', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.up('faults', { hosts: 3, managers: 1, subnet: '10.94.0.0/24' });
  });
  afterAll(() => lab?.down());

  const verb = async (...words: readonly string[]) => {
    const [name = '', ...rest] = words;
    return causeway('lab', name, '--name', 'faults', ...rest);
  };
  const does = async (...words: readonly string[]): Promise<void> => {
    expect(await verb(...words), words.join(' ')).toMatchObject({ code: 0, stderr: '' });
  };
  const faultsOf = async (): Promise<readonly unknown[]> => {
    return (await lab.status()).hosts.map(({ cut, slow }) => ({ cut, slow }));
  };
  const none = { cut: undefined, slow: undefined };

  /** Packets that came back of `count`. */
  const echoes = async (from: string, to: string, count: number): Promise<number> => {
    const { stdout } = await lab.try(from, 'ping', '-n', '-q', '-c', `${count}`, '-i', '0.01', '-W', '0.5', to);
    return Number(/(\d+) received/.exec(stdout)?.[1]);
  };
  const linkLocal = async (host: string): Promise<string> => {
    const shown = await lab.run(host, 'ip', '-6', '-o', 'addr', 'show', 'dev', 'eth0', 'scope', 'link');
    return `${/inet6 ([0-9a-f:]+)/.exec(shown)?.[1]}%eth0`;
  };

  test('a cut takes IPv4, IPv6 and a connection that stands, both ways, and only of that pair; heal brings it back', async () => {
    const echo = "require('net').createServer(s=>s.pipe(s)).listen(7777,'0.0.0.0',()=>console.log('up'))";
    const server = await lab.start('h1', ['node', '-e', echo]);
    await new Promise((resolve) => server.child.stdout?.once('data', resolve));
    const talk = `const s=require('net').connect(7777,'${lab.underlay('h1')}');setInterval(()=>s.write('x'),20);s.pipe(process.stdout)`;
    const client = await lab.start('h2', ['node', '-e', talk]);
    let heard = 0;
    client.child.stdout?.on('data', (text: string) => {
      heard += text.length;
    });
    await eventually(async () => expect(heard).toBeGreaterThan(5));

    const [first, second] = [await linkLocal('h1'), await linkLocal('h2')];
    await does('cut', 'h1', 'h2');
    await does('cut', 'h2', 'h1');
    expect(await echoes('h1', lab.underlay('h2'), 5)).toBe(0);
    const before = heard;
    expect(await echoes('h2', lab.underlay('h1'), 5)).toBe(0);
    expect(await echoes('h1', second, 5)).toBe(0);
    expect(await echoes('h2', first, 5)).toBe(0);
    expect(heard, 'nothing by the connection while pings were tried').toBe(before);
    await eventually(async () => expect(await echoes('h1', lab.underlay('h3'), 5)).toBe(5));
    await eventually(async () => expect(await echoes('h3', lab.underlay('h2'), 5)).toBe(5));
    expect(await faultsOf()).toEqual([{ ...none, cut: ['h2'] }, { ...none, cut: ['h1'] }, none]);

    await does('heal', 'h1', 'h2');
    // A host that just looked for the other in vain may take a second to look again.
    await eventually(async () => expect(await echoes('h1', lab.underlay('h2'), 5)).toBe(5));
    await eventually(async () => expect(await echoes('h2', first, 5)).toBe(5));
    const still = heard;
    // TCP tries again after as long as the cut has lasted, at most twice that.
    await eventually(async () => expect(heard).toBeGreaterThan(still + 5), 60_000);
    expect(await faultsOf()).toEqual([none, none, none]);
    for (const { child } of [client, server]) child.kill('SIGKILL');
  });

  test('heal without hosts ends everything', async () => {
    await does('cut', 'h1', 'h2');
    await does('cut', 'h1', 'h3');
    await does('slow', 'h3', '--loss', '100');
    expect(await echoes('h2', lab.underlay('h3'), 5)).toBe(0);
    expect(await faultsOf()).toEqual([
      { ...none, cut: ['h2', 'h3'] },
      { ...none, cut: ['h1'] },
      { cut: ['h1'], slow: { delayMs: 0, loss: 100 } },
    ]);
    await does('heal');
    for (const to of ['h2', 'h3'])
      await eventually(async () => expect(await echoes('h1', lab.underlay(to), 5)).toBe(5));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test('loss is about what was asked, and the newest setting counts', async () => {
    await does('slow', 'h2', '--loss', '100');
    await does('slow', 'h2', '--loss', '30');
    // A request and its reply pass the host's link once each: 0.7² of 400 come back, 196, give or take eight deviations.
    const received = await echoes('h1', lab.underlay('h2'), 400);
    expect(received).toBeGreaterThan(196 - 80);
    expect(received).toBeLessThan(196 + 80);
    await does('slow', 'h2');
    await eventually(async () => expect(await echoes('h1', lab.underlay('h2'), 20)).toBe(20));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test('a delay is added each way, or refused where the kernel has no netem, with nothing changed', async () => {
    const { code, stderr } = await verb('slow', 'h2', '--delay', '50ms', '--loss', '100');
    if (code === 0) {
      await does('slow', 'h2', '--delay', '50ms');
      const { stdout } = await lab.try('h1', 'ping', '-n', '-q', '-c', '5', '-i', '0.2', lab.underlay('h2'));
      expect(Number(/= ([\d.]+)\//.exec(stdout)?.[1])).toBeGreaterThanOrEqual(100);
      await does('heal');
    } else {
      expect(code).toBe(1);
      expect(stderr).toMatch(/this kernel has no netem.*--loss alone/);
    }
    await eventually(async () => expect(await echoes('h1', lab.underlay('h2'), 5)).toBe(5));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test.each([
    { words: ['cut', 'h1', 'h9'], code: 3 },
    { words: ['cut', 'h1', 'h1'], code: 2 },
    { words: ['heal', 'h1', 'h9'], code: 3 },
    { words: ['slow', 'h9', '--loss', '5'], code: 3 },
  ])('lab $words exits $code', async ({ words, code }) => {
    expect((await verb(...words)).code).toBe(code);
  });
});
