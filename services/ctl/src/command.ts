import { CausewayError } from '@causeway/model';
import { type Argument, Command, type Option } from 'commander';
import type { Answer, Stream } from './answer.ts';
import type { Clients } from './clients.ts';
import type { Context } from './context.ts';
import { withSuggestion } from './did-you-mean.ts';
import { inTime } from './ending.ts';
import { outcomeUnknown } from './failure.ts';
import { nameFlags } from './flags.ts';
import { withHostSettings } from './host-settings.ts';
import { majorityLost } from './majority.ts';
import { type Names, NounGroup } from './noun-group.ts';
import { sayInterrupted } from './render/interrupted.ts';
import { printAnswer } from './render/print.ts';
import { withProgress } from './render/progress.ts';
import { isSaid, readSettings, type Settings, settingOptions, type Uses } from './settings.ts';

/** What a command gets: its parsed arguments and options by name, and its access to the outside world. */
export interface Call<Input> {
  readonly input: Input;
  readonly settings: Settings;
  readonly clients: Clients;
  readonly context: Context;
}

/** A command as data: its input and how it finds its answer. It prints nothing. */
export interface CommandSpec<Input> {
  readonly name: string;
  readonly summary: string;
  /** What the summary leaves out: when the command waits, and what its exit codes mean. */
  readonly description?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  readonly uses: Uses;
  /** Whole command lines that work. */
  readonly examples?: readonly string[];
  /** Shown when the command takes longer than a second: "waiting for the managers". */
  readonly progress?: string;
  /**
   * Managers answer the command only while etcd has a majority. When the majority is lost, the command ends before its
   * timeout.
   */
  readonly needsMajority?: true;
  /** The command that shows whether the change was made; undefined: nothing is changed. */
  readonly seenBy?: (input: Input) => string | undefined;
  /** --timeout limits how long no server may answer. It does not limit how long the command takes. */
  readonly isUnbounded?: true;
  run(call: Call<Input>): Promise<Answer | Stream>;
}

/** A command that still needs its context. */
export type CommandBuilder = (context: Context) => Command;

/** A command that keeps the examples of its help, for the reference. */
export class Verb extends Command {
  readonly examples: readonly string[];

  constructor(name: string, examples: readonly string[]) {
    super(name);
    this.examples = examples;
    if (examples.length > 0)
      this.addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`);
  }
}

/**
 * `run` gets arguments and options as one object, under commander's names of options ("--address-space": addressSpace).
 */
export function command<Input>(spec: CommandSpec<Input>): CommandBuilder {
  return (context) => {
    const built = new Verb(spec.name, spec.examples ?? []).summary(spec.summary);
    built.description(spec.description === undefined ? spec.summary : `${spec.summary}\n\n${spec.description}`);
    for (const argument of spec.arguments ?? []) built.addArgument(argument);
    for (const option of [...(spec.options ?? []), ...settingOptions(spec.uses)]) built.addOption(option);
    return built.action(async () => {
      const settings = await settingsOf(built, spec.uses, context);
      const clients = context.connect(settings, context.signal);
      try {
        const call = { input: inputOf(built) as Input, settings, clients, context };
        await carryOut(spec, call, built);
        await clients.renewIdentity();
      } catch (error) {
        throw nameFlags(error, built);
      } finally {
        clients.close();
      }
    });
  };
}

/** The given settings. Without managers among them, what this host knows about its managers is added. */
async function settingsOf(built: Command, uses: Uses, context: Context): Promise<Settings> {
  const settings = readSettings(built, uses);
  if (!uses.includes('managers')) return settings;
  return await withHostSettings(settings, { socket: isSaid(built, 'socket') }, context);
}

/**
 * A command that asks servers ends at its timeout or at a signal. A command that works on this machine ends its own work.
 */
async function carryOut<Input>(spec: CommandSpec<Input>, call: Call<Input>, built: Command): Promise<void> {
  const { context, settings } = call;
  const label = spec.progress ?? 'waiting for the managers';
  const suggesting = <Value>(work: Promise<Value>): Promise<Value> =>
    work.catch(async (error: unknown) => {
      throw await withSuggestion(error, call.clients, built);
    });
  const find = (): Promise<Answer | Stream> => withProgress(context, label, suggesting(outcomeOf(spec, call)));
  if (!spec.uses.includes('timeout')) return await printAnswer(context, await find(), settings);
  const limits = spec.isUnbounded ? context : { ...context, timeout: settings.timeout };
  const answer = await inTime(find(), limits).catch((error: unknown) => {
    if (!context.signal.aborted) throw error;
  });
  if (answer === undefined) return sayInterrupted(context, spec.seenBy?.(call.input));
  await inTime(suggesting(printAnswer(context, answer, settings)), context);
}

/** @throws CausewayError store-unavailable: etcd has lost its majority, and the command needs one */
async function outcomeOf<Input>(spec: CommandSpec<Input>, call: Call<Input>): Promise<Answer | Stream> {
  const { settings, clients, context, input } = call;
  if (spec.needsMajority === undefined || settings.managers.length === 0) return await spec.run(call);
  const over = new AbortController();
  const look = () => clients.managers.getStatuses();
  const lost = majorityLost({ look, clock: context.clock }, AbortSignal.any([over.signal, context.signal]));
  const work = spec.run(call);
  try {
    const problem = await Promise.race([work.then(() => undefined), lost]);
    if (problem === undefined) return await work;
    throw outcomeUnknown(problem, spec.seenBy?.(input));
  } finally {
    over.abort();
    work.catch(() => undefined); // fails when the connections are closed
  }
}

/** A noun with its verbs. `names`: completion and suggestions find its objects by it. */
export function group(name: string, summary: string, verbs: readonly CommandBuilder[], names?: Names): CommandBuilder {
  return (context) => {
    const built = new NounGroup(name, summary, names);
    for (const verb of verbs) built.addCommand(verb(context));
    return built;
  };
}

function inputOf(built: Command): object {
  const options = built.opts();
  const named = built.registeredArguments.flatMap((argument, i): [string, unknown][] => {
    const name = camelCase(argument.name());
    const [said, option] = [built.processedArgs[i], options[name]];
    // Some inputs can be given as an argument or as an option. An option that was not given does not contradict the
    // argument.
    if (said === undefined || (Array.isArray(said) && said.length === 0))
      return option === undefined ? [[name, said]] : [];
    if (option !== undefined && built.getOptionValueSource(name) === 'cli' && option !== said)
      throw saidTwice(argument.name());
    return [[name, said]];
  });
  return { ...options, ...Object.fromEntries(named) };
}

function saidTwice(name: string): CausewayError {
  const message = `--${name} and the argument say the same thing twice: leave out one of them`;
  return new CausewayError('invalid-argument', message, { field: `--${name}` });
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
