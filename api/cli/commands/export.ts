import type { Runtime } from '../../../schemas/program.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import { composeOf } from '../export/compose.ts';
import type { Exported } from '../export/exported.ts';
import { kubeName, kubernetesOf } from '../export/kubernetes.ts';
import type { ProgramBody } from '../host/bodies.ts';
import type { Host } from '../host/host.ts';
import { findPrograms } from '../host/names.ts';
import { CliError, EXIT } from '../io/exit.ts';
import { readManifest } from '../manifests/read-manifest.ts';
import { asOlderYaml } from '../output/format.ts';
import type { AddCommand, Run } from './run.ts';

export const addExport: AddCommand = (program, use) => {
  program
    .command('export')
    .description('programs as a Compose file or as objects of Kubernetes, on standard output')
    .argument('<NAME...>', 'names, or what only one name begins with')
    .requiredOption('--to <WHAT>', 'compose or kubernetes')
    .option('-q, --quiet', 'do not say on stderr what could not be put into it')
    .action(use(exportPrograms));
};

async function exportPrograms(run: Run, names: string[], { to, quiet }: { to: string; quiet?: boolean }) {
  if (to !== 'compose' && to !== 'kubernetes')
    throw new CliError(EXIT.usage, `--to ${to} is none that is known`, 'compose or kubernetes.');
  const host = await run.host();
  const found = await findPrograms(host, names);
  const programs = await Promise.all(found.map((one) => exported(run, host, one)));
  const notes = to === 'compose' ? writeCompose(run, programs) : writeKubernetes(run, programs);
  if (quiet !== true) for (const note of notes) run.say(`note: ${note}`);
  return EXIT.ok;
}

function writeCompose(run: Run, programs: readonly Exported[]): string[] {
  const { file, notes } = composeOf(programs);
  run.out(asOlderYaml(file));
  return notes;
}

function writeKubernetes(run: Run, programs: readonly Exported[]): string[] {
  const taken = new Map<string, string>();
  for (const { name } of programs) {
    const other = taken.get(kubeName(name));
    if (other !== undefined)
      throw new CliError(EXIT.failed, `${name} and ${other} have the same name in Kubernetes`);
    taken.set(kubeName(name), name);
  }
  const { objects, notes } = kubernetesOf(programs);
  run.out(objects.map(asOlderYaml).join('---\n'));
  return notes;
}

/** What its manifest says, by the defaults of its host. Rejects `CliError` for one that is not valid. */
async function exported(
  { io }: Run,
  host: Host,
  { program_id: name, ...body }: ProgramBody,
): Promise<Exported> {
  const [{ text }, revisions] = await Promise.all([host.client.manifest(name), host.client.revisions(name)]);
  // Which runtime the host takes where none is named shows in what it made of it.
  const runtime: Runtime = revisions.at(-1)?.spec.runtime === 'runsc' ? 'runsc' : 'runc';
  const { program, problems } = readManifest(io, { label: `programs/${name}.yaml`, text }, runtime);
  if (program === undefined) {
    const [first] = problems;
    throw new CliError(
      EXIT.failed,
      `the manifest of ${name} is not valid: ${first?.message ?? ''}`,
      'Mend it first.',
    );
  }
  const port = Number(/:(\d+)$/.exec(body.proxy_url)?.[1] ?? 0);
  const spec = resolveSpec(program.rawSpec, runtime);
  return { name, labels: program.labels, spec, port, buildId: body.build_id };
}
