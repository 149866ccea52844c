import { fileURLToPath } from 'node:url';
import { AgentClient } from './clients.ts';
import { atLeast, atMost, type Figure, type Measure, mib, quantiles, seconds, share } from './figure.ts';
import { container, type Host, makeContainers, withLab } from './lab.ts';
import { print } from './print.ts';
import { cpuDuring, usage } from './proc.ts';
import { inParallel, numbers, pause, say, timed } from './work.ts';

const networker = fileURLToPath(new URL('networker.js', import.meta.url));
const networks = 500;
/** Seconds. Longer than the time in which each network is compared once, if comparing costs little. */
const rest = 60;
/** Number of namespaces that another program makes and removes during the run, one after the other. */
const churn = 1_000;

const noAnswer: Measure = { unit: 's', values: {}, text: 'no answer' };

/** One host with many networks, each with one container: the cost of keeping them as they are. */
export async function benchDensity(): Promise<Figure[]> {
  return withLab('bench-density', 1, async ({ hosts }) => {
    const [host] = hosts;
    if (host === undefined) throw new Error('the lab has no host');
    return measure(host);
  });
}

async function measure(host: Host): Promise<Figure[]> {
  const creating = await timed(() => host.exec([process.execPath, networker, String(networks)]));
  await makeContainers(host, networks);
  say(`${networks} networks made in ${print(seconds(creating))}`);

  const agent = new AgentClient(host.socket);
  const times: number[] = [];
  await inParallel(4, numbers(networks), async (i) => {
    times.push(await timed(() => agent.attach(`n${i}`, 'web', container(i))));
  });
  agent.close();
  say(`attached in ${print(quantiles(times))}`);

  // By now the comparisons that follow each attach are done, and the rate of later ones is steady.
  await pause(rest * 1000);
  const restCpu = await cpuDuring([host.pid], () => pause(rest * 1000));
  const { rss } = usage(host.pid);
  const script = `for n in $(seq ${churn}); do ip netns add churn$n; ip netns del churn$n; done`;
  let churning = 0;
  const churnCpu = await cpuDuring([host.pid], async () => {
    churning = await timed(() => host.exec(['sh', '-ec', script]));
  });
  let answered = true;
  const verifying = await timed(() =>
    host.exec(['causeway', 'verify', '--timeout', '60s']).catch(() => {
      answered = false;
    }),
  );
  return [
    { what: `${networks} networks on a host: attach`, ours: quantiles(times), beside: '' },
    {
      what: `its agent's CPU time, at rest`,
      ours: share(restCpu, rest),
      beside: `over ${rest} s`,
      target: atMost(2),
    },
    {
      what: `the same while ${churn} other namespaces come and go`,
      ours: share(churnCpu, churning / 1000),
      beside: `over ${print(seconds(churning))}`,
      target: atMost(10),
    },
    { what: 'its RSS', ours: mib(rss), beside: '' },
    {
      what: '`causeway verify` of all of it',
      ours: answered ? seconds(verifying) : noAnswer,
      beside: '',
      target: atLeast(0),
    },
  ];
}
