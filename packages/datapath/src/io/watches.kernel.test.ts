import { createNetns, deleteNetns, identifyNetns, identityOf } from '@causeway/netlink/io';
import { describeOnKernel } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NetnsPath } from '../state.ts';
import { Watches } from './watches.ts';

describeOnKernel('watches', () => {
  const path = `/run/netns/cw-test-${process.pid}-watched` as NetnsPath;
  let watches: Watches;
  beforeEach(() => {
    createNetns(path);
    watches = new Watches();
  });
  afterEach(() => {
    watches.close();
    deleteNetns(path);
  });

  const heldNow = (): string | undefined => {
    const fd = watches.held(path)?.fd;
    return fd === undefined ? undefined : identityOf(fd);
  };

  it('hold the namespace they watch open, until they are closed', () => {
    expect(heldNow()).toBeUndefined();
    const watch = watches.add(path, () => undefined);
    expect(heldNow()).toBe(identifyNetns(path));
    watch?.close();
    expect(heldNow()).toBeUndefined();
  });

  it('do not return a namespace when another namespace is mounted at its path, even before a notification', () => {
    watches.add(path, () => undefined);
    deleteNetns(path);
    expect(heldNow()).toBeUndefined();
    createNetns(path);
    expect(heldNow()).toBeUndefined();
  });
});
