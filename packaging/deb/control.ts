/** What a Debian package says of itself. */

export interface About {
  version: string;
  /** One line. */
  description: string;
  /** What it takes when installed. */
  kib: number;
}

/** Those whom bugs are told; nobody's address is made up. */
const MAINTAINER = 'Hersh Host developers <hersh-host@localhost>';

/** In the form of deb-control(5). */
export function controlOf({ version, description, kib }: About): string {
  return [
    'Package: hersh-host',
    `Version: ${debianVersion(version)}`,
    'Architecture: all',
    'Section: admin',
    'Priority: optional',
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${kib}`,
    // Debian's own, or Docker's; without systemd it is started by hand.
    'Depends: nodejs (>= 20), git, adduser, init-system-helpers (>= 1.54)',
    'Recommends: docker.io | docker-ce, openssh-client, ca-certificates',
    'Suggests: runsc',
    `Description: ${synopsisOf(description)}`,
    ' Builds an image from the Dockerfile of each program of a folder of manifests,',
    ' runs it as a hardened container, starts it again when it crashes, and puts',
    ' right what drifts. hershctl is its command, for this machine and for others.',
    '',
  ].join('\n');
}

export function fileNameOf(version: string): string {
  return `hersh-host_${debianVersion(version)}_all.deb`;
}

/** What comes before a version sorts before it: 1.0.0-rc.1 is 1.0.0~rc.1 there. */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}

/** Debian's has neither article nor full stop. */
function synopsisOf(description: string): string {
  return description.replace(/\.$/, '').replace(/^[A-Z]/, (first) => first.toLowerCase());
}

/** The text from the newest version on. */
export function changelogOf(markdown: string): string {
  const at = markdown.search(/^## /m);
  return at < 0 ? markdown : markdown.slice(at);
}

/** In Debian's form for machines. @param license the text of LICENSE, which is Expat's */
export function copyrightOf(license: string): string {
  const [, ...text] = license.trimEnd().split('\n');
  const holder = /^Copyright (.*)$/m.exec(license)?.[1];
  if (holder === undefined) throw new Error('LICENSE names nobody who has the copyright');
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/',
    'Upstream-Name: hersh-host',
    'Comment: Libraries in it keep their own notices, at the end of each bundle.',
    '',
    'Files: *',
    `Copyright: ${holder}`,
    'License: Expat',
    ...text.map((line) => (line === '' ? ' .' : ` ${line}`)),
    '',
  ].join('\n');
}
