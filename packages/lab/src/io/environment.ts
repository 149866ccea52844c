import { environmentOf } from '../commands.ts';
import { labVariable } from './namespace.ts';
import { type LabRecord, paths } from './state.ts';

/** Variables that a command in a host inherits from the caller's environment. */
const inherited = ['HOME', 'LANG', 'LC_ALL', 'NO_COLOR', 'TERM', 'COLUMNS'];

export function hostEnvironment(lab: LabRecord): Readonly<Record<string, string>> {
  const kept = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...environmentOf(lab.plan), [labVariable]: paths.lab(lab.plan.name) };
}
