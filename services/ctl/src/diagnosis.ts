import type { GetStatusResponse, Manager } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { isoTime } from './render/time.ts';

/** Something that is wrong. */
export interface Finding {
  /** "host h3", "network blue", "the managers". */
  readonly about: string;
  readonly problem: string;
  /** What it means for containers; empty: nothing by itself. */
  readonly effect: string;
  readonly remedy: string;
}

/** A host that cannot encrypt. */
export interface SickHost {
  readonly name: string;
  readonly why: string;
  /** Names of the networks of which the host has an endpoint. */
  readonly networks: readonly string[];
}

/** A host whose private keys outlive a reboot. */
export type LastingKeys = Pick<SickHost, 'name' | 'why'>;

/** All that is known. */
export interface Case {
  readonly status: Pick<GetStatusResponse, 'leader' | 'managers' | 'unreadyHosts'>;
  readonly networks: readonly Network[];
  readonly cannotEncrypt: readonly SickHost[];
  readonly keysOnDisk: readonly LastingKeys[];
}

/** The worst comes first: without a leader, all else is old news. */
export function diagnose({ status, networks, cannotEncrypt, keysOnDisk }: Case): readonly Finding[] {
  return [
    ...(status.leader === undefined ? [leaderless] : []),
    ...status.managers.flatMap(issuing),
    ...status.unreadyHosts.map(unready),
    ...cannotEncrypt.flatMap((host) => cannot(host, networks)),
    ...networks.flatMap(changing),
    ...networks.flatMap(degraded),
    ...keysOnDisk.map(lasting),
  ];
}

const leaderless: Finding = {
  about: 'the managers',
  problem: 'no manager leads',
  effect: 'containers go on as they are, and nothing can be changed',
  remedy: '"causeway status" says why: start the managers, or the members of etcd, that it lists as down',
};

/** Only the leader has certificates issued, so what failed at another manager is past. */
function issuing({ name, leader, externalCa }: Manager): Finding[] {
  if (externalCa === undefined) return [];
  const stop = 'no host can join, and no certificate is renewed';
  if (externalCa.name === '')
    return [
      {
        about: `manager ${name}`,
        problem:
          'the key of the CA is outside of the cluster, and this manager has no program that issues certificates',
        effect: leader ? stop : `if this manager leads, ${stop}`,
        remedy: 'set CAUSEWAY_CA_PROGRAM in /etc/causeway/manager.env on its host, and restart the manager',
      },
    ];
  if (!leader || externalCa.failure === '') return [];
  return [
    {
      about: `manager ${name}`,
      problem: `no certificate was issued at ${isoTime(externalCa.calledMs)}: ${externalCa.failure}`,
      effect: `until that works, ${stop}; members renew when half of the life of their certificates is over, and try again`,
      remedy:
        'the log of this manager has more (ca.program-failed, ca.answer-refused); docs/external-ca.md has the causes',
    },
  ];
}

function unready({ name, reason }: GetStatusResponse['unreadyHosts'][number]): Finding {
  return {
    about: `host ${name}`,
    problem: `it follows no changes${reason === '' ? '' : `: ${reason}`}`,
    effect: 'its containers keep the connections that they have, and do not reach new endpoints',
    remedy: `start causeway-agent there, or look at its log; a host that is gone for good: causeway node remove ${name} --force`,
  };
}

/** A host that cannot encrypt matters as soon as there is an encrypted network. */
function cannot({ name, why, networks: own }: SickHost, networks: readonly Network[]): Finding[] {
  const encrypted = networks.filter(isEncrypted).map((network) => network.name);
  if (encrypted.length === 0) return [];
  const here = encrypted.filter((network) => own.includes(network));
  const cut = here.length === 0 ? '' : `; its containers on ${here.join(', ')} are cut off from other hosts`;
  return [
    {
      about: `host ${name}`,
      problem: `it cannot encrypt: ${why}`,
      effect: `no container of this host can be attached to ${encrypted.join(', ')}${cut}`,
      remedy:
        'load the kernel modules that are named (modprobe), or start a kernel that has them, and attach again; or attach the containers on other hosts',
    },
  ];
}

function lasting({ name, why }: LastingKeys): Finding {
  return {
    about: `host ${name}`,
    problem: `its private keys for encrypted networks outlive a reboot: ${why}`,
    effect: 'a person who gets the disk can read what was sent while the keys were in use',
    remedy: 'mount a tmpfs there, or start the agent with a --socket below one; then delete the keys from the disk',
  };
}

/** Encrypted, or on the way from or to that: its hosts need ESP. */
function isEncrypted({ driver }: Network): boolean {
  return driver !== 'overlay';
}

function changing({ name, becomes, conditions }: Network): Finding[] {
  const condition = conditions.find(({ type }) => type === 'Settled');
  if (becomes === '' || condition === undefined) return [];
  return [
    {
      about: `network ${name}`,
      problem: condition.message,
      effect: 'its frames travel in the clear or encrypted until the change is done',
      remedy: 'bring the hosts back that are named, or remove them; or turn back with "causeway network update"',
    },
  ];
}

function degraded({ name, conditions }: Network): Finding[] {
  const condition = conditions.find(({ type, status }) => type === 'Degraded' && status === 'true');
  if (condition === undefined) return [];
  const { message } = condition;
  return [{ about: `network ${name}`, problem: message, effect: '', remedy: `causeway network show ${name}` }];
}
