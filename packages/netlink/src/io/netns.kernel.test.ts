import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNetns, deleteNetns, identifyNetns, inNetns, openNetns, ownNetns } from './netns.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';

describeOnKernel('network namespaces', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cw-netns-'));
    path = join(directory, 'deep', 'cw-a');
  });
  afterEach(() => {
    if (existsSync(path)) deleteNetns(path);
    rmSync(directory, { recursive: true });
  });

  const here = (): string => readlinkSync('/proc/thread-self/ns/net');

  function withOpen<Value>(work: (fd: number) => Value): Value {
    createNetns(path);
    const fd = openNetns(path) ?? -1;
    try {
      return work(fd);
    } finally {
      closeSync(fd);
    }
  }

  it('are made under any path, once, and removed as often as called', () => {
    const before = here();
    createNetns(path);
    expect(() => createNetns(path)).toThrow('EEXIST');
    expect(here()).toBe(before);
    deleteNetns(path);
    deleteNetns(path);
    expect(existsSync(path)).toBe(false);
  });

  it('take the place of a plain file that was left over', () => {
    createNetns(path);
    deleteNetns(path);
    writeFileSync(path, '');
    expect(identifyNetns(path)).toBeUndefined();
    createNetns(path);
    expect(identifyNetns(path)).toMatch(/^net:\d+@[0-9a-f-]{36}$/);
  });

  it('are left again, whatever happens inside', () => {
    withOpen((fd) => {
      const before = here();
      const inside = inNetns(fd, here);
      expect(inside).toMatch(/^net:/);
      expect(inside).not.toBe(before);
      const fails = () =>
        inNetns(fd, () => {
          throw new Error('inside');
        });
      expect(fails).toThrow('inside');
      expect(() => inNetns(fd, () => Promise.resolve())).toThrow('synchronous');
      expect(() => inNetns(-1, here)).toThrow('EBADF');
      expect(here()).toBe(before);
    });
  });

  it("do not leak into the thread pool's work", async () => {
    const reads: Promise<string>[] = [];
    withOpen((fd) => {
      for (let i = 0; i < 200; i++) inNetns(fd, () => reads.push(readFile('/proc/thread-self/net/dev', 'utf8')));
    });
    const seen = new Set((await Promise.all(reads)).map((text) => text.split('\n').length));
    expect(seen.size).toBe(1);
    for (const text of await Promise.all(reads)) expect(text).not.toBe('');
  });

  it('have one identity, whichever path leads there', () => {
    createNetns(path);
    expect(identifyNetns(path)).toBe(identifyNetns(path));
    expect(identifyNetns(path)).not.toBe(identifyNetns(ownNetns));
    expect(identifyNetns(ownNetns)).toBe(identifyNetns(`/proc/${process.pid}/ns/net`));
  });

  it('are not what else a path may lead to', () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const others = [directory, fifo, '/proc/self/ns/mnt', '/proc/self/ns/pid', '/dev/null', '/etc/passwd/x', 'a\0b'];
    for (const other of others) expect([other, identifyNetns(other)]).toEqual([other, undefined]);
  });
});
