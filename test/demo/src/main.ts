import { LabStage } from './io/lab-stage.ts';
import { SimStage } from './sim-stage.ts';
import type { Stage } from './stage.ts';
import { tellStory } from './story.ts';

/** The options that tools/demo.mjs has read from the command line. */
interface Settings {
  readonly once: boolean;
  readonly simulated: boolean;
  readonly name: string;
  readonly hosts: number;
}

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings;
const say = (line: string): void => console.log(line);
const stage: Stage = settings.simulated ? new SimStage(settings.hosts) : new LabStage(settings.name, settings.hosts);
process.exitCode = await perform(stage, settings.once || settings.simulated);

async function perform(on: Stage, once: boolean): Promise<number> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
  });
  let code = 0;
  try {
    say(`Causeway on ${on.title}`);
    const story = on.up(say).then(() => tellStory(on, say));
    story.catch(() => undefined);
    const ended = await Promise.race([story, interrupted]);
    if (ended === undefined) {
      // With `once` the lab is removed at once, so the hints would be useless.
      if (!settings.once) say(`\nTry, in another terminal:\n${on.hints.map((hint) => `  ${hint}`).join('\n')}`);
      if (!once) await stayUp(interrupted);
    }
  } catch (error) {
    console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`);
    code = 1;
  }
  say('\ntaking it down');
  await on.down();
  return code;
}

async function stayUp(interrupted: Promise<unknown>): Promise<void> {
  say('\nIt stays up until Ctrl-C.');
  const awake = setInterval(() => undefined, 60_000);
  await interrupted;
  clearInterval(awake);
}
