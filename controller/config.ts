import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Remote } from '../registry/git/follow.ts';
import { AppError, messageOf } from '../schemas/errors.ts';
import { PUBLISH_PORT_MAX, PUBLISH_PORT_MIN, type Runtime } from '../schemas/program.ts';
import { ACCESS_OPTIONS, type AccessSettings, readAccessSettings } from './access-settings.ts';
import type { BuildPolicy } from './build-policy/build-policy.ts';
import { BUILD_OPTIONS, readBuildSettings } from './build-settings.ts';
import { credentialFiles, fileOutside } from './credential-settings.ts';
import type { CredentialFiles } from './credentials/credentials.ts';
import { HOOK_OPTIONS, type HookSettings, readHookSettings } from './hook-settings.ts';
import { type Given, type Option, refuse } from './option.ts';
import type { PortRange } from './ports/ports.ts';
import { DURATION_MS, duration, integer, names, oneOf, origins, pattern, size } from './setting-values.ts';

export interface Config extends HookSettings, AccessSettings {
  /** Absolute path. */
  readonly registry: string;
  /** False where none was named: then `registry` is `./registry`, if `init` made it. */
  readonly isRegistryNamed: boolean;
  readonly port: number;
  readonly host: string;
  readonly portRange: Readonly<PortRange>;
  readonly instance: string;
  readonly runtime: Runtime;
  /** Whether programs of runc have network sandboxes. */
  readonly sandboxed: boolean;
  /** How many of these stand ready for programs to come; 0 where programs have none. */
  readonly spares: number;
  readonly logLevel: string;
  /** Names accepted in `Host` beside the loopback ones. */
  readonly allowedHosts: readonly string[];
  /** Origins whose web pages may use the API, beside its own. */
  readonly allowedOrigins: readonly string[];
  /** What nothing refers to goes at once above this; undefined for no limit. */
  readonly diskBytes: number | undefined;
  /** How long a proxied request waits for a program that is on its way back, in milliseconds; 0 for not at all. */
  readonly proxyWaitMs: number;
  /** A branch that the registry is kept equal to; undefined for none. */
  readonly remote: Remote | undefined;
  /** What builds and pulls may fetch. */
  readonly buildPolicy: BuildPolicy;
  /** Docker config files that images are pulled with; absolute paths. */
  readonly credentials: CredentialFiles;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
/** Both an engine label and a prefix of container names. */
const INSTANCE_PATTERN = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** What git allows of a branch name, and no more than people use. */
const BRANCH_PATTERN = /^(?!.*(\.\.|\/\/|\/\.|\.lock(\/|$)|[/.]$))[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/;
/** A remote is asked at most this often, and at least this often. */
const INTERVAL_MS_MIN = 1_000;
const INTERVAL_MS_MAX = 24 * DURATION_MS.h;
/** Each takes some MB and a port. */
const SPARES_MAX = 100;
/** Longer than any client waits. */
const PROXY_WAIT_MS_MAX = 5 * DURATION_MS.m;

const OPTIONS: Record<string, Option> = {
  registry: {
    env: 'HERSH_REGISTRY',
    value: 'DIR',
    fallback: '',
    help: 'folder of manifests, sources and status; default: ./registry, if init made it',
  },
  port: { env: 'HERSH_PORT', value: 'N', fallback: '9000', help: 'port of the API' },
  host: {
    env: 'HERSH_HOST',
    value: 'ADDR',
    fallback: '127.0.0.1',
    help: 'address of the API; one that is not loopback takes --tokens and TLS',
  },
  'port-range': {
    env: 'HERSH_PORT_RANGE',
    value: 'A-B',
    fallback: `${PUBLISH_PORT_MIN}-${PUBLISH_PORT_MAX}`,
    help: 'host ports of programs',
  },
  instance: {
    env: 'HERSH_INSTANCE',
    value: 'NAME',
    fallback: 'default',
    help: 'tells hosts on one engine apart',
  },
  runtime: {
    env: 'HERSH_RUNTIME',
    value: 'runc|runsc',
    fallback: 'runc',
    help: 'of programs that name none',
  },
  sandbox: {
    env: 'HERSH_SANDBOX',
    value: 'on|off',
    fallback: 'off',
    help: "a program's network outlives its container, so that it is back sooner; not under runsc",
  },
  spares: {
    env: 'HERSH_SPARES',
    value: 'N',
    fallback: '2',
    help: 'with --sandbox on, networks that stand ready for programs to come; 0: none',
  },
  'log-level': { env: 'HERSH_LOG_LEVEL', value: 'LEVEL', fallback: 'info', help: LOG_LEVELS.join(', ') },
  'allowed-hosts': {
    env: 'HERSH_ALLOWED_HOSTS',
    value: 'A,B',
    fallback: '',
    help: 'further names accepted in the Host header',
  },
  'allowed-origins': {
    env: 'HERSH_ALLOWED_ORIGINS',
    value: 'A,B',
    fallback: '',
    help: 'origins of web pages that may use the API, http://localhost:5173 for one',
  },
  'proxy-wait': {
    env: 'HERSH_PROXY_WAIT',
    value: 'TIME',
    fallback: '10s',
    help: 'how long a proxied request waits for a program that is being restarted; 0: not at all',
  },
  'disk-limit': {
    env: 'HERSH_DISK_LIMIT',
    value: 'SIZE',
    fallback: '',
    help: 'above this, 20Gi for one, images and the like that nothing refers to go at once',
  },
  'git-remote': {
    env: 'HERSH_GIT_REMOTE',
    value: 'URL',
    fallback: '',
    help: 'follow a branch there: manifests are then changed by commits to it alone',
  },
  'git-branch': { env: 'HERSH_GIT_BRANCH', value: 'NAME', fallback: 'main', help: 'the branch to follow' },
  'git-interval': {
    env: 'HERSH_GIT_INTERVAL',
    value: 'TIME',
    fallback: '30s',
    help: 'how often it is looked at: 30s, 5m, 1h',
  },
  'git-silence': {
    env: 'HERSH_GIT_SILENCE',
    value: 'TIME',
    fallback: '2m',
    help: 'a fetch in which the remote says nothing for this long is given up, however long it may be',
  },
  'docker-config': {
    env: 'HERSH_DOCKER_CONFIG',
    value: 'FILE',
    fallback: '',
    help: "docker's config.json, with whose logins images are pulled: those of everybody's programs",
  },
  'docker-config-for': {
    env: 'HERSH_DOCKER_CONFIG_FOR',
    value: 'USER=FILE',
    fallback: '',
    help: "one for the programs of that user alone, asked first; may be given more than once, in the environment with ','",
    between: ',',
  },
  ...ACCESS_OPTIONS,
  ...BUILD_OPTIONS,
  ...HOOK_OPTIONS,
};

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.entries(OPTIONS).map(([name, { env, value, fallback, help }]) => {
    const left = `  --${name} ${value}`.trimEnd().padEnd(34);
    return `${left}${env.padEnd(28)}${help}${fallback === '' ? '' : ` (${fallback})`}`;
  });
  return [
    'Hersh Host keeps the programs of a registry running.',
    '',
    'hersh-host init DIR [--git]   makes a registry (in a checkout: npm start -- init DIR)',
    'hersh-host [options]          starts the host (in a checkout: npm start -- [options])',
    '',
    'Each option also as an environment variable, the option wins:',
    ...rows,
    `  --help`,
    '',
    'DOCKER_HOST names the engine, as everywhere (unix:///path or tcp://host:port).',
  ].join('\n');
}

/**
 * Flags first, then the environment, then defaults.
 * @param argv without node and the script
 * @returns `help` when asked for; otherwise the frozen configuration
 * @throws AppError `BadRequest` that names the option and what it takes
 */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Config | 'help' {
  const given = parse(argv);
  if (given.help === true) return 'help';
  const readAll = (name: string): Given[] => {
    const { env: variable = '', fallback = '', between } = OPTIONS[name] ?? {};
    const flags = [given[name] ?? []].flat().map((text) => ({ text: String(text), from: `--${name}` }));
    if (flags.length > 0) return flags;
    const text = env[variable] ?? '';
    if (text === '') return [{ text: fallback, from: `--${name}` }];
    return (between === undefined ? [text] : text.split(between)).map((one) => ({
      text: one,
      from: variable,
    }));
  };
  const read = (name: string): Given => {
    const all = readAll(name);
    return { text: all.map(({ text }) => text).join(' '), from: all[0]?.from ?? `--${name}` };
  };
  const named = read('registry').text;
  const registry = pathOf(named === '' ? 'registry' : named);
  return Object.freeze({
    registry,
    isRegistryNamed: named !== '',
    credentials: credentialFiles(registry, read('docker-config'), readAll('docker-config-for'), pathOf),
    port: integer(read('port'), 0, 65_535),
    host: read('host').text,
    portRange: range(read('port-range')),
    instance: pattern(read('instance'), INSTANCE_PATTERN, 'lower-case letters, digits and "-", 32 at most'),
    runtime: oneOf(read('runtime'), ['runc', 'runsc']) as Runtime,
    ...sandboxes(read),
    logLevel: oneOf(read('log-level'), LOG_LEVELS),
    allowedHosts: names(read('allowed-hosts')),
    allowedOrigins: origins(read('allowed-origins')),
    diskBytes: size(read('disk-limit')),
    proxyWaitMs: proxyWait(read('proxy-wait')),
    remote: remote(read('git-remote'), read('git-branch'), read('git-interval'), read('git-silence')),
    ...readAccessSettings(read, pathOf, (given) => fileOutside(registry, given, pathOf(given.text))),
    ...readBuildSettings(read),
    ...readHookSettings(read, env),
  });
}

function parse(argv: readonly string[]): Record<string, unknown> {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, { between, isWord }]) => [
      name,
      { type: isWord ? ('boolean' as const) : ('string' as const), multiple: between !== undefined },
    ]),
  );
  try {
    return parseArgs({ args: [...argv], options: { ...options, help: { type: 'boolean' } }, strict: true })
      .values;
  } catch (error) {
    throw new AppError('BadRequest', messageOf(error), {
      cause: error,
      hint: 'See hersh-host --help (in a checkout: npm start -- --help).',
    });
  }
}

/** Under gVisor nothing joins one. */
function sandboxes(read: (name: string) => Given): Pick<Config, 'sandboxed' | 'spares'> {
  const sandboxed = oneOf(read('sandbox'), ['on', 'off']) === 'on';
  const wanted = integer(read('spares'), 0, SPARES_MAX);
  return { sandboxed, spares: sandboxed && read('runtime').text === 'runc' ? wanted : 0 };
}

function pathOf(text: string): string {
  return resolve(text.startsWith('~/') ? `${homedir()}${text.slice(1)}` : text);
}

function range(read: Given): PortRange {
  const match = /^(\d+)-(\d+)$/.exec(read.text);
  const [min, max] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || min > max || min < PUBLISH_PORT_MIN || max > PUBLISH_PORT_MAX) {
    throw refuse(read, `two ports within ${PUBLISH_PORT_MIN}-${PUBLISH_PORT_MAX}, the lower first`);
  }
  return Object.freeze({ min, max });
}

function remote(url: Given, branch: Given, interval: Given, silence: Given): Remote | undefined {
  const name = pattern(branch, BRANCH_PATTERN, 'the name of a branch');
  const takes = 'a time such as 30s, 5m or 1h, from 1s to 24h';
  const intervalMs = duration(interval, INTERVAL_MS_MIN, INTERVAL_MS_MAX, takes);
  const silenceMs = duration(silence, INTERVAL_MS_MIN, INTERVAL_MS_MAX, takes);
  if (url.text === '') return undefined;
  // Not told what it was: it may hold a password.
  if (url.text.startsWith('-') || /[\s\0]/.test(url.text)) {
    throw new AppError('BadRequest', `${url.from} is not valid; it takes an address as git fetch does`);
  }
  return { url: url.text, branch: name, intervalMs, silenceMs };
}

function proxyWait(read: Given): number {
  if (read.text === '0') return 0;
  return duration(read, 1, PROXY_WAIT_MS_MAX, 'a time such as 10s, 5m at most, or 0');
}
