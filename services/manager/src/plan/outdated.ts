import { CausewayError } from '@causeway/model';

/** What was prepared for a state of the cluster came too late: the cluster has changed. It can be prepared again at once. */
export class Outdated extends CausewayError {
  constructor(what: string) {
    super('busy', `${what} at the same time: try again`);
  }
}
