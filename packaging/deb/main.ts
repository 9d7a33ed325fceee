/**
 * `npm run deb`: a Debian package of what `npm run build` makes, for any architecture. Its content is that of the npm
 * package, so that nothing is in one of them alone.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { npmPack } from '../npm-pack.ts';
import { changelogOf, controlOf, copyrightOf, fileNameOf } from './control.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '..', '..');
/** In the package; what it holds is the same on every architecture. */
const PLACE = 'usr/share/hersh-host';
const BINS = ['hersh-host', 'hershctl'] as const;
const SHELLS = {
  bash: 'usr/share/bash-completion/completions/hershctl',
  zsh: 'usr/share/zsh/vendor-completions/_hershctl',
  fish: 'usr/share/fish/vendor_completions.d/hershctl.fish',
} as const;
const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;

const { values } = parseArgs({
  options: {
    /** Where the package is put. */
    out: { type: 'string', default: join(ROOT, 'packaging', 'out') },
    /** Instead of that of package.json: for a trial of an upgrade. */
    version: { type: 'string' },
    /** The npm package to take; it is made by default. */
    from: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'hersh-deb-'));
try {
  process.stdout.write(`${make(folder)}\n`);
} catch (error) {
  process.stderr.write(`${explained(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns the path of the package */
function make(work: string): string {
  const stage = join(work, 'stage');
  const place = join(stage, PLACE);
  mkdirSync(place, { recursive: true });
  const npmPackage = values.from ?? npmPack(work);
  execFileSync('tar', ['-xzf', npmPackage, '--strip-components=1', '--no-same-owner', '-C', place]);
  const told = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as {
    version: string;
    description: string;
  };
  const version = values.version ?? told.version;
  if (version !== told.version)
    writeFileSync(join(place, 'package.json'), `${JSON.stringify({ ...told, version }, undefined, 2)}\n`);
  bins(stage);
  const lib = join(stage, 'usr/lib/systemd/system');
  mkdirSync(lib, { recursive: true });
  cpSync(join(HERE, '..', 'systemd', 'hersh-host.service'), join(lib, 'hersh-host.service'));
  put(stage, 'etc/default/hersh-host', readFileSync(join(HERE, 'files', 'default'), 'utf8'));
  put(stage, 'usr/share/doc/hersh-host/copyright', copyrightOf(readFileSync(join(ROOT, 'LICENSE'), 'utf8')));
  put(
    stage,
    'usr/share/doc/hersh-host/changelog',
    changelogOf(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')),
  );
  put(stage, 'DEBIAN/conffiles', '/etc/default/hersh-host\n');
  put(stage, 'DEBIAN/control', controlOf({ version, description: told.description, kib: kibOf(stage) }));
  for (const name of SCRIPTS) {
    put(stage, `DEBIAN/${name}`, readFileSync(join(HERE, 'files', name), 'utf8'));
    chmodSync(join(stage, 'DEBIAN', name), 0o755);
  }
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', stage]);
  mkdirSync(values.out, { recursive: true });
  const path = join(values.out, fileNameOf(version));
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', stage, path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return path;
}

/** Whatever is in PATH, and what completes the command in shells. */
function bins(stage: string): void {
  mkdirSync(join(stage, 'usr/bin'), { recursive: true });
  for (const name of BINS)
    symlinkSync(`../share/hersh-host/packaging/dist/${name}.mjs`, join(stage, 'usr/bin', name));
  for (const [shell, path] of Object.entries(SHELLS)) {
    const hershctl = join(stage, PLACE, 'packaging/dist/hershctl.mjs');
    put(stage, path, execFileSync(process.execPath, [hershctl, 'completion', shell], { encoding: 'utf8' }));
  }
}

function put(stage: string, path: string, text: string): void {
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  writeFileSync(join(stage, path), text);
}

function kibOf(stage: string): number {
  return Number(execFileSync('du', ['-sk', stage], { encoding: 'utf8' }).split('\t')[0]);
}

function explained(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path === 'dpkg-deb')
    return 'dpkg-deb is not on this machine: it is Debian’s, apt-get install dpkg-dev brings it';
  return message;
}
