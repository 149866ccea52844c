import { CausewayError } from '@causeway/model';

/** Two managers of a cluster must not have the same name. `otherwise`: what to do to keep the name. */
export function nameTaken(name: string, at: string, otherwise: string): CausewayError {
  const message = `--name ${name}: the cluster has a manager of that name at ${at}: choose another name, or ${otherwise}`;
  return new CausewayError('name-taken', message, { field: '--name', value: name });
}
