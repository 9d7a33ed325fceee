import { readFileSync } from 'node:fs';
import { AppError, codeOf } from '../schemas/errors.ts';
import { FORMS, type Form, type Receiver } from './notify/receiver.ts';
import { type Given, type Option, refuse, refuseSecret } from './option.ts';

/** Whom the host tells by HTTP, and by whom it lets itself be told. */
export interface HookSettings {
  /** Who gets Warning events. */
  readonly receivers: readonly Receiver[];
  /** What is posted is signed with it; undefined: it is not signed. */
  readonly notifySecret: string | undefined;
  /** What `POST /hooks/git` has to know; undefined: that route is not there. */
  readonly gitHookSecret: string | undefined;
}

/** Shorter ones can be guessed. */
const SECRET_CHARS_MIN = 16;
/** Longer than anything that a forge takes. */
const SECRET_CHARS_MAX = 4096;
const RECEIVERS_MAX = 20;

export const HOOK_OPTIONS = {
  notify: {
    env: 'HERSH_NOTIFY',
    value: 'URL',
    fallback: '',
    help: 'post Warning events there; may be given several times (in the variable: spaces between)',
    between: ' ',
  },
  'notify-format': {
    env: 'HERSH_NOTIFY_FORMAT',
    value: FORMS.join('|'),
    fallback: 'json',
    help: 'in which form: once for all, or once for each --notify, in the same order',
    between: ' ',
  },
  'notify-secret-file': {
    env: 'HERSH_NOTIFY_SECRET_FILE',
    value: 'FILE',
    fallback: '',
    help: 'holds the secret that json is signed with; or HERSH_NOTIFY_SECRET is that secret',
  },
  'git-hook-secret-file': {
    env: 'HERSH_GIT_HOOK_SECRET_FILE',
    value: 'FILE',
    fallback: '',
    help: 'holds the secret of POST /hooks/git, by which a push is looked at at once; or HERSH_GIT_HOOK_SECRET',
  },
} as const satisfies Record<string, Option>;

/**
 * @param read what was given for an option; of one that was given several times, with spaces between
 * @throws AppError `BadRequest` that names the option and what it takes, and no address and no secret
 */
export function readHookSettings(
  read: (name: keyof typeof HOOK_OPTIONS) => Given,
  env: NodeJS.ProcessEnv,
): HookSettings {
  return {
    receivers: receivers(read('notify'), read('notify-format')),
    notifySecret: secret(read('notify-secret-file'), env, 'HERSH_NOTIFY_SECRET'),
    gitHookSecret: secret(read('git-hook-secret-file'), env, 'HERSH_GIT_HOOK_SECRET'),
  };
}

function receivers(addresses: Given, formats: Given): readonly Receiver[] {
  const urls = words(addresses.text).map((text) => address(addresses, text));
  if (urls.length > RECEIVERS_MAX) throw refuseSecret(addresses, `${RECEIVERS_MAX} addresses at most`);
  const forms = words(formats.text).map((text) => {
    if (!isForm(text)) throw refuse({ ...formats, text }, `one of ${FORMS.join(', ')}`);
    return text;
  });
  if (forms.length !== 1 && forms.length !== urls.length)
    throw refuse(formats, `one form for all, or one for each of the ${urls.length} addresses of --notify`);
  return Object.freeze(urls.map((url, at) => ({ url, form: forms[at] ?? forms[0] ?? 'json' })));
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function isForm(text: string): text is Form {
  return (FORMS as readonly string[]).includes(text);
}

/** Not told what it was: the path of many is a secret. */
function address(given: Given, text: string): URL {
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text))
    throw refuseSecret(given, 'addresses that begin with http:// or https://');
  return new URL(text);
}

/** The file counts before the variable, as flags do. */
function secret(file: Given, env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const given = env[variable] ?? '';
  if (file.text === '') return given === '' ? undefined : checked(given, variable);
  try {
    return checked(readFileSync(file.text, 'utf8').replace(/[\r\n]+$/, ''), `${file.from}: what is in it`);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refuse(file, `a file with the secret; this one can not be read (${codeOf(error)})`);
  }
}

function checked(text: string, from: string): string {
  if (text.length < SECRET_CHARS_MIN || text.length > SECRET_CHARS_MAX || /[\r\n\0]/.test(text)) {
    const takes = `one line of ${SECRET_CHARS_MIN} to ${SECRET_CHARS_MAX} characters, such as openssl rand -hex 32 gives`;
    throw refuseSecret({ text: '', from }, takes);
  }
  return text;
}
