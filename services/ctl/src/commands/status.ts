import { Option } from 'commander';
import type { Answer, Stream } from '../answer.ts';
import type { Agent, Managers } from '../clients.ts';
import { type Call, command } from '../command.ts';
import type { Context } from '../context.ts';
import { agentAnswer } from '../render/agent.ts';
import { statusAnswer } from '../render/status.ts';
import { watchStatus } from '../status-watch.ts';

interface Input {
  readonly local?: true;
  readonly watch?: true;
}

export const status = command<Input>({
  name: 'status',
  summary: 'show the cluster on one page',
  description:
    'Exit 5 when nothing can be changed now, with the reason: etcd does not answer or has no majority, or no manager leads.\n' +
    'What is wrong elsewhere (a host that is not ready, a manager that does not answer) is shown, and exits 0.',
  options: [
    new Option('--local', "show what this host's agent knows; needs no manager").conflicts('watch'),
    new Option('-w, --watch', 'repeat every 2 s and print what has changed; a terminal shows the newest state only'),
  ],
  uses: ['managers', 'socket', 'timeout', 'output'],
  examples: ['causeway status', 'causeway status -o json', 'causeway status --watch', 'causeway status --local'],
  async run(call) {
    const { input, clients, context } = call;
    if (input.local) return await local(clients.agent);
    if (input.watch) return statusStream(call);
    return await look(clients.managers, context);
  },
});

async function look(managers: Managers, context: Context): Promise<Answer> {
  return statusAnswer(await managers.getStatus({}), context.clock.wall());
}

async function local(agent: Agent): Promise<Answer> {
  const status = await agent.getAgentStatus({});
  const { sandboxes } = await agent.listSandboxes({});
  return agentAnswer(status, sandboxes);
}

/** Each round of --watch has the whole `--timeout`. */
function statusStream({ settings, context }: Call<Input>): Stream {
  const { clock, signal, stdout } = context;
  const once = async (): Promise<Answer> => {
    const clients = context.connect(settings, signal);
    try {
      return await look(clients.managers, context);
    } finally {
      clients.close();
    }
  };
  const isScreen = stdout.isTty && (settings.output === 'table' || settings.output === 'wide');
  return { columns: [], redraws: isScreen, parts: watchStatus({ look: once, clock, signal, redraws: isScreen }) };
}
