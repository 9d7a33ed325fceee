#!/usr/bin/env bash
# An edit of one key in a Document of `yaml` changes others.
#
# npm yaml 2.9.0.
#
# Guess: a Document remembers how its nodes were written. After `set` of one key `toString()` differs in that line
# alone, and `delete` of the first key leaves a comment at the head of the file.
# What happens: comments stay, and each plain number is written anew from its value. `0644` becomes `644` (for readers
# of YAML 1.1 that is another number), and an integer above 2^53 becomes its neighbour. Spaces and flow lists are
# formed anew. A comment in the line above the first key goes with that key, the licence or the warning that heads the
# file included; one with an empty line below it stays.
#
# Output seen:
#   set port:  - mode: 0644                   + mode: 644
#   set port:  - id: 9007199254740993         + id: 9007199254740992
#   set port:  - list: [1,2,  3]              + list: [ 1, 2, 3 ]
#   delete the first key: the head comment is gone
#   … with an empty line below the comment: it stays
set -euo pipefail

cannot() { echo "can not be run: $*" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --prefix . --no-save --ignore-scripts --no-audit --no-fund yaml@2.9.0 \
  >npm.log 2>&1 || cannot "npm install failed: $(tail -1 npm.log)"
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';

const same = (got, want, words) => {
  if (JSON.stringify(got) === JSON.stringify(want)) return;
  console.error(`CHANGED: ${words}`);
  process.exit(1);
};
console.log('yaml', JSON.parse(readFileSync('node_modules/yaml/package.json', 'utf8')).version);

const body = 'name: web\nport: 8080\nmode: 0644\nid: 9007199254740993\nlist: [1,2,  3]\n';
const head = '# Generated: edit the template instead.\n';
const edited = (text, edit) => {
  const document = parseDocument(text);
  edit(document);
  return String(document);
};
const after = edited(body, (d) => d.set('port', 9090)).split('\n');
const differing = [];
for (const [i, before] of body.split('\n').entries()) {
  if (before.startsWith('port') || before === after[i]) continue;
  differing.push(before, after[i]);
  console.log(`set port:  - ${before.padEnd(28)} + ${after[i]}`);
}
const close = edited(head + body, (d) => d.delete('name')).includes('Generated');
const apart = edited(head + '\n' + body, (d) => d.delete('name')).includes('Generated');
console.log('delete the first key: the head comment', close ? 'stays' : 'is gone');
console.log('… with an empty line below the comment: it', apart ? 'stays' : 'is gone');
same(differing.slice(0, 4), ['mode: 0644', 'mode: 644', 'id: 9007199254740993', 'id: 9007199254740992'],
  'other fields keep how they are written');
same([close, apart], [false, true], 'another comment goes or stays');
console.log('as described');
JS
timeout 60 node try.mjs
