import { type ChildProcess, spawn } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type Certificate,
  type CertificateOrder,
  formatCertificates,
  formatPin,
  formatTime,
  pinOf,
} from '@causeway/identity';
import { CausewayError, clip } from '@causeway/model';
import { type Duration, formatDuration, type Log, seconds } from '@causeway/runtime';
import type { ExternalCa } from '../cluster/ca/external-ca.ts';

/** How long a call may take, with the time in which it waits for others: a joiner gives up after ten seconds. */
const patience = seconds(8);
/** Characters that are read: a certificate has about 1,000. */
const mostOutput = 64 * 1024;
/** Characters that are kept of what a program says about its failure. */
const mostSaid = 1_000;
/** Programs that run at the same time. Others wait, so that a storm of joins does not start hundreds. */
const atOnce = 4;
/** The bits of the mode of a file or directory by which users other than its owner may change it. */
const othersWrite = 0o022;
/** The bit of a directory's mode by which these may not replace what belongs to others: /tmp has it. */
const sticky = 0o1000;

type Variables = Readonly<Record<string, string>>;

interface Run {
  readonly variables: Variables;
  /** For the standard input. */
  readonly input: string;
  /** Aborts when the program must have ended. */
  readonly limit: AbortSignal;
  /** Why the limit has come. */
  readonly whyOver: () => string;
}

/**
 * An operator's program as the CA. It gets the request in PEM on its standard input and the rest in its environment, and prints the
 * certificate in PEM. It gets PATH and HOME of the environment of this process, and nothing else of it.
 */
export class CaProgram implements ExternalCa {
  readonly name: string;
  readonly #path: string;
  readonly #log: Log;
  readonly #patience: Duration;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** `limit`: as `patience`. */
  constructor(path: string, { log, limit = patience }: { readonly log: Log; readonly limit?: Duration }) {
    this.name = `the program ${path} (--ca-program)`;
    this.#path = path;
    this.#log = log;
    this.#patience = limit;
  }

  issue(order: CertificateOrder, signal: AbortSignal): Promise<string> {
    return this.#call(variablesOf(order), order.request, signal);
  }

  next(present: Certificate, signal: AbortSignal): Promise<string> {
    const variables = { CAUSEWAY_TASK: 'next-ca', CAUSEWAY_CA: formatPin(pinOf(present)) };
    return this.#call(variables, formatCertificates([present]), signal);
  }

  async #call(variables: Variables, input: string, signal: AbortSignal): Promise<string> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#patience);
    const limit = AbortSignal.any([signal, late.signal]);
    await this.#turn(limit);
    try {
      const program = await this.#find();
      const whyOver = (): string =>
        signal.aborted ? 'the caller has left' : `it did not end within ${formatDuration(this.#patience)}`;
      return await this.#run(program, { variables, input, limit, whyOver });
    } finally {
      clearTimeout(timer);
      this.#endTurn();
    }
  }

  /** Resolves when the program may be started, or the limit has come. */
  async #turn(limit: AbortSignal): Promise<void> {
    while (this.#running >= atOnce && !limit.aborted)
      await new Promise<void>((go) => {
        this.#waiting.add(go);
        const leave = (): void => {
          this.#waiting.delete(go);
          go();
        };
        limit.addEventListener('abort', leave, { once: true });
      });
    this.#running++;
  }

  #endTurn(): void {
    this.#running--;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }

  /**
   * The file itself, without links. Only root and the user of this process say what issues certificates: the file and all directories
   * above belong to them, and no other user may change these.
   */
  async #find(): Promise<string> {
    const file = await realpath(this.#path).catch((cause: Error) => {
      throw this.#failed(`it cannot be found (${cause.message})`, '');
    });
    for (const path of new Set([file, ...above(file), ...above(this.#path)])) {
      const { mode, uid } = await stat(path);
      const isOwn = uid === 0 || uid === process.geteuid?.();
      const isOpen = (mode & othersWrite) !== 0 && (path === file || (mode & sticky) === 0);
      if (!isOwn || isOpen) throw this.#failed(`users other than root and its own user may change ${path}`, '');
    }
    return file;
  }

  async #run(program: string, { variables, input, limit, whyOver }: Run): Promise<string> {
    if (limit.aborted) throw this.#failed(whyOver(), '');
    // A group of its own: when the program is late, what it has started ends, too.
    const child = spawn(program, [], { detached: true, env: environment(variables), stdio: 'pipe', cwd: '/' });
    return await new Promise<string>((resolve, reject) => {
      let [printed, said, isOver] = ['', '', false];
      const end = (why?: string): void => {
        if (isOver) return;
        isOver = true;
        limit.removeEventListener('abort', onLimit);
        if (why === undefined) resolve(printed);
        else reject(this.#failed(why, said));
      };
      const stop = (why: string): void => {
        kill(child);
        end(why);
      };
      const onLimit = (): void => stop(whyOver());
      limit.addEventListener('abort', onLimit, { once: true });
      child.once('error', (error) => end(`it cannot be started (${error.message})`));
      child.stdin.on('error', () => undefined); // a program need not read what it gets
      child.stdin.end(input);
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (printed.length <= mostOutput) printed += text;
        if (printed.length > mostOutput) stop(`it has printed more than ${mostOutput} characters`);
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(0, mostSaid);
      });
      child.once('close', (status, by) => {
        if (status === 0) end();
        else end(by === null ? `it ended with status ${status}` : `it was ended by ${by}`);
      });
    });
  }

  /** What the program says may be for its operator only, so it goes to the log, and not to a host that wants to join. */
  #failed(why: string, said: string): CausewayError {
    const words = clip(said.trim().replaceAll(/\s+/g, ' '), mostSaid);
    this.#log.warn('ca.program-failed', { program: this.#path, reason: why, said: words });
    const hint = words === '' ? '' : '; what it said is in the log of the manager (ca.program-failed)';
    const message = `${this.name} has issued nothing: ${why}${hint}`;
    return new CausewayError('external-ca-failed', message, { ca: this.#path });
  }
}

function variablesOf(order: CertificateOrder): Variables {
  const { name, uri, dnsNames, ipAddresses, usages, notBefore, notAfter, root } = order;
  return {
    CAUSEWAY_TASK: 'certificate',
    CAUSEWAY_CA: formatPin(pinOf(root)),
    CAUSEWAY_CLUSTER: name.cluster,
    CAUSEWAY_ROLE: name.role,
    CAUSEWAY_ID: name.id,
    CAUSEWAY_URI: uri,
    CAUSEWAY_DNS_NAMES: dnsNames.join(','),
    CAUSEWAY_IP_ADDRESSES: ipAddresses.join(','),
    CAUSEWAY_USAGES: usages.join(','),
    CAUSEWAY_NOT_BEFORE: formatTime(notBefore),
    CAUSEWAY_NOT_AFTER: formatTime(notAfter),
  };
}

function environment(variables: Variables): Variables {
  const { PATH, HOME } = process.env;
  return { ...(PATH !== undefined && { PATH }), ...(HOME !== undefined && { HOME }), ...variables };
}

/** The directories in which a file is, up to the root. */
function above(path: string): readonly string[] {
  const directory = dirname(path);
  return directory === path ? [] : [directory, ...above(directory)];
}

function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The program and all that it has started have ended.
  }
}
