import { leave, type Membership, type OpenExit } from '@causeway/enrollment';
import { formatPeer } from '@causeway/identity';
import { type CausewayError, isCausewayError } from '@causeway/model';
import { Option } from 'commander';
import type { Answer } from '../answer.ts';
import { type CommandBuilder, command } from '../command.ts';
import type { Context } from '../context.ts';
import { parseVariables } from '../host-settings.ts';
import { parseManagers } from '../settings.ts';
import { rootOption } from './join.ts';
import { checkWritable } from './members.ts';
import { withoutVariables } from './settings-file.ts';
import { type Service, services, type ThisHost } from './this-host.ts';

export interface LeaveParts {
  readonly hostAt: (root: string) => ThisHost;
  readonly open: OpenExit;
}

interface Input {
  readonly service?: Service;
  readonly force?: true;
  readonly root: string;
}

export function leaveCommand(parts: LeaveParts): CommandBuilder {
  return command<Input>({
    name: 'leave',
    summary: 'end the membership of this host in its cluster',
    description:
      'Stops the agent, asks the managers to remove agent and manager of this host from the cluster, stops the manager, and deletes their\n' +
      'identities and data. A host with endpoints is refused (exit 4): "causeway node drain" keeps new ones away, and detaching its\n' +
      'containers ends the others. If the managers refuse, the service is started again, and nothing is deleted. May be repeated.',
    options: [
      new Option('--service <service>', 'only this service; when absent, both').choices(services),
      new Option(
        '--force',
        'release the endpoints of this host; delete the data also if no manager answers, or the certificate has expired',
      ),
      rootOption(),
    ],
    uses: ['output'],
    examples: ['causeway leave', 'causeway leave --service manager'],
    progress: 'waiting for the managers',
    run: ({ input, context }) => leaveCluster(parts, input, context),
  });
}

async function leaveCluster(parts: LeaveParts, input: Input, context: Context): Promise<Answer> {
  const host = parts.hostAt(input.root);
  checkWritable(host);
  const left: Membership[] = [];
  const notes: string[] = [];
  for (const service of input.service === undefined ? services : [input.service]) {
    const membership = await leaveAs(service, host, { ...parts, force: input.force === true, notes }, context);
    if (membership !== undefined) left.push(membership);
  }
  return { ...leaveAnswer(left), notes };
}

/** Undefined: this host has no such member. */
async function leaveAs(
  service: Service,
  host: ThisHost,
  { open, force, notes }: Pick<LeaveParts, 'open'> & { readonly force: boolean; readonly notes: string[] },
  { random, signal }: Context,
): Promise<Membership | undefined> {
  const variables = parseVariables(await host.readSettings(service));
  const dataDir = variables['CAUSEWAY_DATA_DIR'] ?? host.dataDir(service);
  const home = host.home(service, dataDir);
  const membership = await home.read();
  if (membership === undefined) return undefined;
  const configured = variables[service === 'agent' ? 'CAUSEWAY_MANAGERS' : 'CAUSEWAY_JOIN'];
  // The settings are from the day when this host joined; the managers have said later which managers there are.
  const known = [...parseManagers(configured ?? variables['CAUSEWAY_LISTEN'] ?? ''), ...membership.managers];
  const addresses = [...new Set(known)];
  // A manager that is removed ends by itself. A host that is connected is not removed.
  if (service === 'agent') await host.stop(service);
  try {
    await leave({ open, random }, { membership, credential: await home.credential(), addresses, force }, signal);
  } catch (error) {
    if (!force || !isCausewayError(error) || !mayPass(error)) {
      if (service === 'agent') await host.start(service, false);
      throw error;
    }
    notes.push(`${error.message}; its data are deleted all the same. Remove it from the cluster on another host`);
  }
  await host.stop(service);
  await host.clear(service, dataDir);
  await home.clear();
  const settings = await host.readSettings(service);
  await host.writeSettings(service, withoutVariables(settings, ofMembership));
  return membership;
}

/** With --force: no manager answers, or none accepts the certificate of this host any more. */
function mayPass({ code, kind }: CausewayError): boolean {
  return kind === 'unavailable' || code === 'certificate-expired';
}

/** What `join` and `init` have written. Another membership has other values. */
const ofMembership = [
  'CAUSEWAY_NAME',
  'CAUSEWAY_MANAGERS',
  'CAUSEWAY_DATA_PATH',
  'CAUSEWAY_ADVERTISE',
  'CAUSEWAY_LISTEN',
  'CAUSEWAY_ETCD_PEER_ADDRESS',
  'CAUSEWAY_JOIN',
  'CAUSEWAY_CA_PROGRAM',
];

function leaveAnswer(left: readonly Membership[]): Answer {
  const text = left.map(({ name }) => `${formatPeer(name)} has left the cluster ${name.cluster}`);
  return {
    value: { left: left.map(({ name: { cluster, role, id } }) => ({ cluster, role, id })) },
    names: left.map(({ name }) => formatPeer(name)),
    table: { kind: 'line', text: text.length === 0 ? 'this host is a member of no cluster' : text },
  };
}
