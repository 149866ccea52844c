import { CausewayError } from '@causeway/model';
import type { VerifyResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { Argument, Option } from 'commander';
import type { Answer } from '../answer.ts';
import { command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { differences, hosts, verifyAnswer } from '../render/drift.ts';

interface Input {
  readonly repair?: true;
  readonly host: readonly string[];
}

export const verify = command<Input>({
  name: 'verify',
  summary: "compare every host's kernel with the intent",
  description:
    'Exit 6 when a difference is found; with --repair, when a difference is left after the repair. Otherwise exit 5 when a host did\n' +
    'not answer: stderr names the host, and the results of the other hosts are printed.',
  arguments: [new Argument('[host...]', 'host to verify, by name or id; when absent, every host')],
  options: [
    new Option('--repair', 'repair what differs, then compare again'),
    new Option('--host <node>', 'the same as the argument; repeat for several')
      .argParser((text: string, before: readonly string[]) => [...before, text])
      .default([], 'every host'),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ repair }) => (repair === true ? 'causeway verify' : undefined),
  progress: 'waiting for the hosts',
  examples: ['causeway verify -o json', 'causeway verify h3 --repair'],
  async run({ input, clients }) {
    const request = { repair: input.repair === true, hosts: [...input.host] };
    const found = await clients.managers.verify(request);
    const again = request.repair && found.drift.length > 0;
    const after = again ? await clients.managers.verify({ ...request, repair: false }) : undefined;
    return judge(found, after, request);
  },
});

/** What was found, what of it remains, and what this means for the exit code. */
export function judge(
  found: VerifyResponse,
  after: VerifyResponse | undefined,
  asked: { repair: boolean; hosts: readonly string[] },
): Answer {
  const remaining = (after ?? found).drift;
  const unreachable = [...new Set([...found.unreachable, ...(after?.unreachable ?? [])])].sort();
  const answer = verifyAnswer({ ...found, unreachable }, asked.repair ? remaining : undefined);
  const notes = unreachable.length === 0 ? [] : [`not verified, no answer: ${unreachable.join(', ')}`];
  if (after !== undefined) {
    const repaired = Math.max(0, found.drift.length - remaining.length);
    notes.push(`${differences(found.drift.length)} found, ${repaired} repaired`);
  }
  if (remaining.length > 0) return { ...answer, notes, exitCode: exitCodes.drift };
  if (unreachable.length === 0) return { ...answer, notes };
  const message = `${hosts(unreachable.length)} could not be asked: ${unreachable.join(', ')}`;
  return {
    ...answer,
    notes: notes.slice(1),
    problem: new CausewayError('agent-unavailable', message, { hosts: unreachable.join(',') }),
  };
}
