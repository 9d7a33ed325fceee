import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup/host-settings.ts';

/** Folders at the top that hold nothing of the host itself. */
const NOT_SOURCE = ['docs', 'examples', 'node_modules', 'test'];
/** The default registry: programs that people deploy are written in these languages too. */
const DATA = ['registry/data', 'registry/programs', 'registry/sources', 'registry/status'];
/** What `npm run build` makes, and what it is made in. */
const BUILT = /^(api\/ui|packaging)\/dist([-.]|$)/;
const STYLES = /\.css$/;
const LANGUAGES = /\.[cm]?[jt]sx?$/;

/**
 * All source files of the host, sorted, as paths below the root. What is not named above counts, so that a new
 * folder is looked at from its first file on.
 */
export function sourceFiles(): string[] {
  return filesBelow('', LANGUAGES).sort();
}

/** Those of the page. */
export function styleFiles(): string[] {
  return filesBelow('api/ui', STYLES).sort();
}

export function testFiles(): string[] {
  return filesBelow('test', LANGUAGES).sort();
}

function filesBelow(folder: string, kind: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) return kind.test(path) ? [path] : [];
    const isNamed = NOT_SOURCE.includes(path) || DATA.includes(path);
    const isOther = entry.name.startsWith('.') || isNamed || BUILT.test(path);
    return entry.isDirectory() && !isOther ? filesBelow(path, kind) : [];
  });
}
