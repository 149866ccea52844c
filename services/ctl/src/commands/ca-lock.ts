import { CausewayError, isCausewayError } from '@causeway/model';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import type { Answer } from '../answer.ts';
import { type Call, command } from '../command.ts';

export const caAutolock = command<{ readonly state: 'on' | 'off' }>({
  name: 'autolock',
  summary:
    'turn autolock on or off: with it, a manager that starts cannot issue certificates until it has the unlock key',
  description:
    'On: prints the unlock key. Keep it apart from the managers: the key and the disk of a manager together give the CA away. May be\n' +
    'repeated: it prints the same key. Autolock protects the CA, not the other records; traffic and attaches go on without the key.',
  arguments: [new Argument('<state>', 'on or off').choices(['on', 'off'])],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway ca show',
  examples: ['causeway ca autolock on', 'causeway ca autolock off'],
  async run({ input, clients, context }) {
    const requestId = randomUuid(context.random);
    const { unlockKey } = await clients.managers.setAutolock({ requestId, enabled: input.state === 'on' });
    return autolockAnswer(unlockKey);
  },
});

function autolockAnswer(unlockKey: string): Answer {
  const isOn = unlockKey !== '';
  const text = isOn
    ? [
        'autolock is on; the unlock key:',
        '',
        `    ${unlockKey}`,
        '',
        'After its start, each manager needs it: CAUSEWAY_UNLOCK_KEY=KEY causeway ca unlock',
      ]
    : 'autolock is off';
  return {
    value: { autolock: isOn, unlockKey: isOn ? unlockKey : null },
    names: isOn ? [unlockKey] : [],
    table: { kind: 'line', text },
  };
}

interface UnlockInput {
  readonly key?: string;
}

/** The error of a manager that was not unlocked, and which others were. */
function withUnlocked({ code, message, data }: CausewayError, managers: readonly string[]): CausewayError {
  const others =
    managers.length === 0 ? 'no other manager is' : `${managers.join(', ')} ${managers.length === 1 ? 'is' : 'are'}`;
  return new CausewayError(code, `${message}; ${others} unlocked`, data);
}

export const caUnlock = command<UnlockInput>({
  name: 'unlock',
  summary: 'give the managers the unlock key, after their start',
  description:
    'Each manager needs it, so all that --managers names are asked. Other users of this host see the arguments of a command while it\n' +
    'runs: to hide the key, set CAUSEWAY_UNLOCK_KEY.',
  options: [
    new Option('--key <key>', 'unlock key, as "causeway ca autolock on" printed it').env('CAUSEWAY_UNLOCK_KEY'),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: ['CAUSEWAY_UNLOCK_KEY=$(cat unlock-key) causeway ca unlock --managers 10.0.0.1,10.0.0.2,10.0.0.3'],
  run: unlock,
});

async function unlock({ input: { key: unlockKey }, settings, context }: Call<UnlockInput>): Promise<Answer> {
  if (unlockKey === undefined)
    throw new CausewayError('invalid-argument', '--key: there is no unlock key', { field: '--key' });
  const managers: string[] = [];
  let failure: unknown;
  for (const manager of settings.managers) {
    const clients = context.connect({ ...settings, managers: [manager] }, context.signal);
    try {
      await clients.managers.unlock({ unlockKey });
      managers.push(manager);
    } catch (error) {
      // The others are asked all the same: one that is down must not keep them locked.
      failure ??= error;
    } finally {
      clients.close();
    }
  }
  if (failure !== undefined) throw isCausewayError(failure) ? withUnlocked(failure, managers) : failure;
  return {
    value: { managers },
    names: managers,
    table: { kind: 'line', text: managers.map((each) => `${each} is unlocked`) },
  };
}
