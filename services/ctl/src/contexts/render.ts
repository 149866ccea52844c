import type { Answer, Cell, Heading } from '../answer.ts';
import { formatSpan, isoTime } from '../render/time.ts';
import type { StoredContext } from './contexts.ts';

const columns: readonly Heading[] = [
  { title: '' },
  { title: 'NAME' },
  { title: 'CLUSTER' },
  { title: 'OPERATOR' },
  { title: 'MANAGERS' },
  { title: 'EXPIRES IN' },
];

/** `current`: the name of the context in use. */
export function contextsAnswer(all: readonly StoredContext[], current: string | undefined, now: number): Answer {
  return {
    value: all.map((each) => contextValue(each, each.name === current)),
    names: all.map(({ name }) => name),
    table: { kind: 'grid', columns, rows: all.map((each) => row(each, each.name === current, now)) },
  };
}

export function contextAnswer(context: StoredContext, isInUse: boolean, now: number): Answer {
  const { name, state } = context;
  const fields: (readonly [string, Cell])[] =
    state.kind === 'damaged'
      ? [['state', { text: state.why, tone: 'bad' }]]
      : [
          ['cluster', state.holder.cluster],
          ['operator', state.holder.id],
          ['managers', state.managers.join(', ')],
          ['certificate', expiry(state.expires, now, `expires ${isoTime(state.expires)}, in `)],
        ];
  return {
    value: contextValue(context, isInUse),
    names: [name],
    table: { kind: 'sheet', fields: [['name', name], ['in use', isInUse ? 'yes' : 'no'], ...fields] },
  };
}

function contextValue({ name, state }: StoredContext, isInUse: boolean) {
  if (state.kind === 'damaged')
    return { name, inUse: isInUse, cluster: null, operator: null, managers: [], expires: null, problem: state.why };
  const { holder, managers, expires } = state;
  return {
    name,
    inUse: isInUse,
    cluster: holder.cluster,
    operator: holder.id,
    managers,
    expires: isoTime(expires),
    problem: null,
  };
}

function row({ name, state }: StoredContext, isInUse: boolean, now: number): Cell[] {
  const mark = isInUse ? '*' : ' ';
  if (state.kind === 'damaged') return [mark, name, { text: 'damaged', tone: 'bad' }, '-', '-', '-'];
  const { holder, managers, expires } = state;
  return [mark, name, holder.cluster, holder.id, managers.join(','), expiry(expires, now, '')];
}

function expiry(expires: number, now: number, before: string): Cell {
  return expires <= now ? { text: 'expired', tone: 'bad' } : `${before}${formatSpan(expires - now)}`;
}
