import { type Clock, type Duration, type Log, Loop, minutes } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { cleanUpCertificates } from '../plan/certificate-cleanup.ts';

interface CertificateCleanupParts {
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly log: Log;
}

const lookEvery = minutes(10);

/** Deletes tokens, certificates and removals that have no effect any more. */
export class CertificateCleanup implements Controller {
  readonly #parts: CertificateCleanupParts;

  constructor(parts: CertificateCleanupParts) {
    this.#parts = parts;
  }

  run({ signal }: Term): Promise<void> {
    const { writer, clock, log } = this.#parts;
    const step = async (): Promise<Duration> => {
      const { reply } = await writer.apply(cleanUpCertificates(clock.wall()), { cause: 'certificate-cleanup', signal });
      if (reply > 0) log.info('certificate.cleaned-up', { records: reply });
      return lookEvery;
    };
    const failed = failureLog(log, 'certificate.not-cleaned-up');
    return new Loop({ clock }, { step, failed, retryAfter: lookEvery }).run(signal);
  }
}
