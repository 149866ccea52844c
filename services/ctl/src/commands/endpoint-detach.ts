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
  summary: 'detach an endpoint from its network, on any host',
  description:
    'The host of the endpoint removes the interface, and the addresses become free. A name is looked up first among the endpoints\n' +
    'of this host, then, with the credential of an operator, among those of all hosts. An endpoint on a host that is not ready is\n' +
    'detached only with --force (otherwise exit 4): that host removes the interface when it is back.',
  arguments: [new Argument('<endpoint>', 'id, name, or NETWORK/NAME')],
  options: [new Option('--force', 'also if the host of the endpoint is not ready').default(false)],
  uses: ['managers', 'socket', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ endpoint }) => `causeway endpoint show ${endpoint}`,
  progress: 'waiting for the host',
  examples: [
    'causeway endpoint detach web',
    'causeway endpoint detach blue/web',
    'causeway endpoint detach db --force',
  ],
  async run({ input, settings, clients, context }) {
    const { endpoint, force } = input;
    const request = { requestId: randomUuid(context.random), endpoint, force };
    const { revision, host, interfaceRemoved } = await clients.agent.detach(request).catch((error: unknown) => {
      // An agent may detach the endpoints of its own host only; for others the credential of the operator is needed.
      const isForManagers = isCausewayError(error, 'agent-unavailable') || isCausewayError(error, 'permission-denied');
      if (!isForManagers || settings.managers.length === 0) throw error;
      // The request id is the same. If the agent got the request after all, the detach still happens only once.
      return clients.managers.detachEndpoint(request);
    });
    const where = host === '' ? '' : ` on ${host}`;
    const notes = interfaceRemoved ? [] : [`host ${host} has not said yet that the interface is gone`];
    return {
      ...removalAnswer(endpoint, revision, `endpoint ${endpoint} detached${where}, revision ${revision}`),
      notes,
    };
  },
});
