import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { causeway, labStatus } from './causeway.ts';
import { eventually } from './eventually.ts';
import { describeLab } from './requirements.ts';

describeLab('the underlay of a lab, broken on purpose', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.replace({ name: 'faults', hosts: 3, managers: 1, subnet: '10.94.0.0/24' });
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
    return (await labStatus('faults')).hosts.map(({ cut, unheardBy, slow }) => ({ cut, unheardBy, slow }));
  };
  const none = { cut: undefined, unheardBy: undefined, slow: undefined };

  /** How many of `count` packets were answered. */
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
    // A host that has just failed to find the other may take a second until it tries again.
    await eventually(async () => expect(await echoes('h1', lab.underlay('h2'), 5)).toBe(5));
    await eventually(async () => expect(await echoes('h2', first, 5)).toBe(5));
    const still = heard;
    // TCP retries after a pause of up to twice the length of the cut.
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
      { ...none, cut: ['h1'], slow: { delayMs: 0, loss: 100, dropAbove: 0 } },
    ]);
    await does('heal');
    for (const to of ['h2', 'h3'])
      await eventually(async () => expect(await echoes('h1', lab.underlay(to), 5)).toBe(5));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test('loss is about what was asked, and the newest setting counts', async () => {
    await does('slow', 'h2', '--loss', '100');
    await does('slow', 'h2', '--loss', '30');
    // Request and reply each pass the host's link once: of 400, 0.7² come back, 196, plus or minus eight standard
    // deviations.
    const received = await echoes('h1', lab.underlay('h2'), 400);
    expect(received).toBeGreaterThan(196 - 80);
    expect(received).toBeLessThan(196 + 80);
    await does('slow', 'h2');
    await eventually(async () => expect(await echoes('h1', lab.underlay('h2'), 20)).toBe(20));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  // uml-netem.e2e.ts tests that a delay is added where the kernel can do this.
  test('a delay is refused where the kernel has no netem, with nothing changed', async () => {
    const { code, stderr } = await verb('slow', 'h2', '--delay', '50ms', '--loss', '100');
    if (await hasNetem(lab)) {
      expect(code, stderr).toBe(0);
      await does('heal');
    } else {
      expect(code).toBe(1);
      expect(stderr).toMatch(/this kernel has no netem.*--loss alone/);
    }
    await eventually(async () => expect(await echoes('h1', lab.underlay('h2'), 5)).toBe(5));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test('a cut of one way takes what one host sends, to one other or to all', async () => {
    await does('cut', 'h1', 'h2', '--one-way');
    expect(await echoes('h1', lab.underlay('h2'), 5)).toBe(0);
    // Requests arrive, but replies do not: packets that h2 sends are counted at their receiver.
    const heard = async (): Promise<number> =>
      Number(await lab.run('h1', 'cat', '/sys/class/net/eth0/statistics/rx_packets'));
    const before = await heard();
    expect(await echoes('h2', lab.underlay('h1'), 5)).toBe(0);
    expect(await heard()).toBeGreaterThanOrEqual(before + 5);
    await eventually(async () => expect(await echoes('h1', lab.underlay('h3'), 5)).toBe(5));
    expect(await faultsOf()).toEqual([{ ...none, unheardBy: ['h2'] }, none, none]);

    await does('cut', 'h1', '--one-way');
    expect(await echoes('h1', lab.underlay('h3'), 5)).toBe(0);
    expect(await faultsOf()).toEqual([{ ...none, unheardBy: ['h2', 'h3'] }, none, none]);
    await does('heal', 'h1');
    for (const to of ['h2', 'h3'])
      await eventually(async () => expect(await echoes('h1', lab.underlay(to), 5)).toBe(5));
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test('a cut of one host takes everything between it and all others, and only that', async () => {
    await does('cut', 'h2');
    for (const from of ['h1', 'h3']) expect(await echoes(from, lab.underlay('h2'), 5)).toBe(0);
    expect(await echoes('h2', lab.underlay('h3'), 5)).toBe(0);
    await eventually(async () => expect(await echoes('h1', lab.underlay('h3'), 5)).toBe(5));
    expect(await faultsOf()).toEqual([
      { ...none, cut: ['h2'] },
      { ...none, cut: ['h1', 'h3'] },
      { ...none, cut: ['h2'] },
    ]);
    await does('heal', 'h2');
    await eventually(async () => expect(await echoes('h2', lab.underlay('h1'), 5)).toBe(5));
  });

  test('packets that are too long are lost each way, without an ICMP error', async () => {
    const answered = async (from: string, to: string, bytes: number): Promise<number> => {
      const ping = ['ping', '-n', '-q', '-c', '3', '-i', '0.05', '-W', '0.5', '-M', 'do', '-s', `${bytes - 28}`, to];
      const { stdout } = await lab.try(from, ...ping);
      expect(stdout).not.toMatch(/errors|too long|frag/i);
      return Number(/(\d+) received/.exec(stdout)?.[1]);
    };
    await does('slow', 'h2', '--drop-above', '1400');
    await eventually(async () => expect(await answered('h1', lab.underlay('h2'), 1400)).toBe(3));
    expect(await answered('h1', lab.underlay('h2'), 1401)).toBe(0);
    expect(await answered('h2', lab.underlay('h3'), 1401)).toBe(0);
    expect(await answered('h1', lab.underlay('h3'), 1500)).toBe(3);
    expect(await faultsOf()).toEqual([none, { ...none, slow: { delayMs: 0, loss: 0, dropAbove: 1400 } }, none]);
    // A stream of full segments must not pass either, in whatever sizes the kernel forwards them.
    const body = 'x'.repeat(200_000);
    const serve = `require('net').createServer(s=>s.end('${'x'}'.repeat(${body.length}))).listen(7778,'0.0.0.0',()=>console.log('up'))`;
    const server = await lab.start('h1', ['node', '-e', serve]);
    await new Promise((resolve) => server.child.stdout?.once('data', resolve));
    const fetch = `let n=0;require('net').connect(7778,'${lab.underlay('h1')}').on('data',d=>n+=d.length);setTimeout(()=>{console.log(n);process.exit()},1000)`;
    expect(Number(await lab.run('h2', 'node', '-e', fetch))).toBe(0);
    await does('slow', 'h2');
    expect(Number(await lab.run('h2', 'node', '-e', fetch))).toBe(body.length);
    server.child.kill('SIGKILL');
    expect(await faultsOf()).toEqual([none, none, none]);
  });

  test('a wiped process is gone with its data; started again it joins anew, as the same host with another key', async () => {
    const identity = async (): Promise<string> => lab.run('h3', 'cat', '/var/lib/causeway/agent/identity/identity.pem');
    const node = async (): Promise<unknown> => (await lab.json<{ id: string }>('h3', 'node', 'show', 'h3')).id;
    const id = await node();
    const before = await identity();
    await does('wipe', 'h3', 'agent');
    await expect(identity()).rejects.toThrow(/No such file/);
    expect((await lab.status()).hosts[2]?.processes).toMatchObject([{ kind: 'agent', running: false }]);
    await does('wipe', 'h3', 'agent');
    await does('start', 'h3', 'agent');
    const after = await eventually(identity);
    expect(after).not.toBe(before);
    await eventually(async () => expect(await lab.isReady('h3')).toBe(true));
    expect(await node()).toBe(id);
  });

  test.each([
    { words: ['cut', 'h1', 'h9'], code: 3 },
    { words: ['cut', 'h1', 'h1'], code: 2 },
    { words: ['cut', 'h9'], code: 3 },
    { words: ['heal', 'h9'], code: 3 },
    { words: ['heal', 'h1', 'h9'], code: 3 },
    { words: ['wipe', 'h3', 'manager'], code: 4 },
    { words: ['slow', 'h9', '--loss', '5'], code: 3 },
  ])('lab $words exits $code', async ({ words, code }) => {
    expect((await verb(...words)).code).toBe(code);
  });
});

/** Asks the kernel, on a link that nothing else uses. */
async function hasNetem(lab: Lab): Promise<boolean> {
  const { code } = await lab.try('h3', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem');
  if (code === 0) await lab.run('h3', 'tc', 'qdisc', 'del', 'dev', 'lo', 'root');
  return code === 0;
}
