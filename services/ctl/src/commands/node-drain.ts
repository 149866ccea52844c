import { randomUuid } from '@causeway/runtime';
import { Argument } from 'commander';
import type { Answer } from '../answer.ts';
import { type CommandBuilder, command } from '../command.ts';
import { nodeValue } from '../render/node.ts';
import { present } from './present.ts';

interface Input {
  readonly node: string;
}

const argument = new Argument('<node>', 'name or id');

export const nodeDrain: CommandBuilder = command<Input>({
  name: 'drain',
  summary: 'give a host no new endpoints',
  description:
    'Attaches on the host are refused (node-drained, exit 4) until "causeway node undrain". Endpoints that the host has stay; new\n' +
    'containers must be started elsewhere. The command may be repeated.',
  arguments: [argument],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ node }) => `causeway node show ${node}`,
  examples: ['causeway node drain h3'],
  async run({ input, clients, context }): Promise<Answer> {
    const { node } = await clients.managers.drainNode({ requestId: randomUuid(context.random), node: input.node });
    const host = present(node, 'node');
    const left = host.endpoints === 0 ? 'it has no endpoints' : `its endpoints stay: ${host.endpoints}`;
    return answer(host, `host ${host.name} is drained: it gets no new endpoints, and ${left}`);
  },
});

export const nodeUndrain: CommandBuilder = command<Input>({
  name: 'undrain',
  summary: 'give a drained host new endpoints again',
  description: 'The command may be repeated.',
  arguments: [argument],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ node }) => `causeway node show ${node}`,
  examples: ['causeway node undrain h3'],
  async run({ input, clients, context }): Promise<Answer> {
    const { node } = await clients.managers.undrainNode({ requestId: randomUuid(context.random), node: input.node });
    const host = present(node, 'node');
    return answer(host, `host ${host.name} gets new endpoints again`);
  },
});

function answer(host: Parameters<typeof nodeValue>[0], text: string): Answer {
  return { value: nodeValue(host), names: [host.name], table: { kind: 'line', text } };
}
