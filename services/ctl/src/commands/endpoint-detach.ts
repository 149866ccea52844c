import { isCausewayError } from '@causeway/model';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { removalAnswer } from '../render/removal.ts';

interface Input {
  readonly endpoint: string;
  readonly force: boolean;
}

export const endpointDetach = command<Input>({
  name: 'detach',
  summary: 'take an endpoint off its network, on whichever host it is',
  description:
    'The host takes the interface away, and its addresses are free again. An endpoint of this host is meant first, then any\n' +
    'other. Without an agent here the managers are asked. One that nobody knows is not found (exit 3). That of a host that is\n' +
    'not ready is refused (exit 4) without --force: the host takes the interface away when it is back.',
  arguments: [new Argument('<endpoint>', 'id, name, or NETWORK/NAME')],
  options: [new Option('--force', 'also when its host is not ready').default(false)],
  uses: ['managers', 'socket', 'timeout', 'output'],
  progress: 'waiting for the host',
  examples: [
    'causeway endpoint detach web',
    'causeway endpoint detach blue/web',
    'causeway endpoint detach db --force',
  ],
  async run({ input, settings, clients, context }) {
    const { endpoint, force } = input;
    const request = { requestId: randomUuid(context.random), endpoint, force };
    const { revision, host, takenAway } = await clients.agent.detach(request).catch((error: unknown) => {
      // The request id is the same: should the agent have been asked after all, it is done once.
      if (!isCausewayError(error, 'agent-unavailable') || settings.managers.length === 0) throw error;
      return clients.managers.detachEndpoint(request);
    });
    const where = host === '' ? '' : ` on ${host}`;
    const notes = takenAway ? [] : [`host ${host} has not said yet that the interface is gone`];
    return {
      ...removalAnswer(endpoint, revision, `endpoint ${endpoint} detached${where}, revision ${revision}`),
      notes,
    };
  },
});
