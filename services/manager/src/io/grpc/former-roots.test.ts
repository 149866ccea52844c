import { authorityOf, credentialOf, day, manager, now } from '@causeway/identity/testing';
import { expect, test } from 'vitest';
import { FormerRoots } from './former-roots.ts';

const [old, next] = [authorityOf(1), authorityOf(2, undefined, now + day)];
const [oldRoot, nextRoot] = [old.certificate, next.certificate];
const [ofOld] = credentialOf(old, manager).chain;
const [ofNext] = credentialOf(next, manager, { at: now + day, seed: 101 }).chain;

test('a certificate of the former root is known from the end of a rotation on, whatever this process trusts', () => {
  const roots = new FormerRoots();
  const before = { present: [oldRoot], trusted: [oldRoot] };
  expect(roots.haveIssued(ofOld, before)).toBe(false);
  const during = { present: [nextRoot, oldRoot], trusted: [oldRoot] };
  expect([roots.haveIssued(ofOld, during), roots.haveIssued(ofNext, during)]).toEqual([false, false]);
  for (const trusted of [[nextRoot, oldRoot], [nextRoot]]) {
    const after = { present: [nextRoot], trusted };
    expect([roots.haveIssued(ofOld, after), roots.haveIssued(ofNext, after)]).toEqual([true, false]);
  }
});

test('the next root is no former root, for a manager that has not read of the rotation', () => {
  const roots = new FormerRoots();
  const behind = { present: [oldRoot], trusted: [nextRoot, oldRoot] };
  expect([roots.haveIssued(ofOld, behind), roots.haveIssued(ofNext, behind)]).toEqual([false, false]);
});

test('a manager that does not know the roots of the cluster takes none for replaced', () => {
  expect(new FormerRoots().haveIssued(ofOld, { present: undefined, trusted: [nextRoot, oldRoot] })).toBe(false);
});
