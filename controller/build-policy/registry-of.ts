import { BlockList, isIP } from 'node:net';
import { DOCKER_HUB, hubOr } from '../../schemas/image-name.ts';

/** A registry as an operator writes it: a host, perhaps with a port; undefined of what is none. */
export function registryName(text: string): string | undefined {
  const host = text.toLowerCase();
  return /^(?:\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?$/.test(host)
    ? hubOr(host)
    : undefined;
}

/** What is no address of the internet: of this machine, its networks, or no single machine's. */
const INWARD_4 = ranges('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/3'],
]);
/** With what stands for one of IPv4, whichever: nobody has a registry there. */
const INWARD_6 = ranges('ipv6', [
  ...['::/96', '::ffff:0:0/96', '64:ff9b::/32', '2002::/16'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]);

function ranges(family: 'ipv4' | 'ipv6', texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits = ''] = text.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** Endings of names that no public registry has: a machine of one's own network answers to them, or none. */
const OWN_ENDINGS = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home\.arpa)$/;

/**
 * Whether a registry, by its name, is on this machine or in its own networks: a loopback, link-local or private address
 * in any spelling, or a name that only those networks know. What another name leads to is not asked here.
 */
export function isInward(registry: string): boolean {
  if (registry === DOCKER_HUB) return false;
  const url = `http://${registry}/`;
  // As a browser reads hosts, which knows the odd spellings of addresses; what it can not read is nobody's.
  if (!URL.canParse(url)) return true;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const version = isIP(host);
  if (version === 4) return INWARD_4.check(host, 'ipv4');
  if (version === 6) return INWARD_6.check(host, 'ipv6');
  return !host.includes('.') || OWN_ENDINGS.test(host);
}
