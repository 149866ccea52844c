import { command } from '../command.ts';

export const version = command<object>({
  name: 'version',
  summary: 'show the version of this program',
  uses: ['output'],
  async run({ context }) {
    return {
      value: { version: context.version, api: 'causeway.v1', runtime: context.runtime },
      names: [context.version],
      table: { kind: 'line', text: `causeway ${context.version}` },
    };
  },
});
