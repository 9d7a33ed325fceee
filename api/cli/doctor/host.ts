import type { HostView } from '../../../schemas/host-view.ts';
import { ApiError, type Client } from '../../client.ts';
import { CliError } from '../io/exit.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

export interface Answer {
  findings: Finding[];
  /** Undefined where none answers. */
  view: HostView | undefined;
}

/** What a host tells of itself. @param own version of this command */
export async function checkHost(client: Client, server: string, own: string): Promise<Answer> {
  try {
    const view = await client.host();
    return { findings: describeHost(view, server, own), view };
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof CliError)) throw error;
    const isStranger = error instanceof CliError;
    const message = isStranger ? error.message : `no host answers at ${server}: ${error.message}`;
    const mend = isStranger
      ? error.hint
      : 'Start it (npm start, hersh-host, or systemctl start hersh-host), or name it with --server.';
    return { findings: [warning('host', message, mend)], view: undefined };
  }
}

/** Pure. */
export function describeHost(view: HostView, server: string, own: string): Finding[] {
  const { version, name, instance, engine, ports, warnings, git } = view;
  const findings = [ok('host', `${name} answers at ${server}: instance ${instance}, process ${view.pid}`)];
  findings.push(
    version === own
      ? ok('versions', `host and hershctl are ${own}`)
      : warning('versions', `the host is ${version}, hershctl ${own}`, 'Install the same version of both.'),
  );
  if (engine.message !== '') {
    const mend = 'sudo systemctl start docker on its machine; hershctl doctor there says more';
    findings.push(failed('host-engine', engine.message, mend));
  } else findings.push(ok('host-engine', `Docker ${engine.version}: ${(engine.runtimes ?? []).join(', ')}`));
  const all = ports.max - ports.min + 1;
  findings.push(
    ports.held >= all
      ? failed('host-ports', `all ${all} ports are held`, 'Start the host with a wider --port-range.')
      : ok('host-ports', `${ports.held} of ${all} ports are held`),
  );
  const trouble = git?.remote?.reason ?? '';
  if (trouble !== '' && !warnings.some(({ code }) => code === trouble))
    findings.push(warning('host-remote', git?.remote?.message ?? trouble, 'hershctl events'));
  for (const { code, message, confirm } of warnings) {
    const path = `/registry/prune?only=${confirm}`;
    const mend =
      confirm === '' ? 'The message says it.' : `Put back what is missed, or: curl -X POST ${server}${path}`;
    // Said above already.
    if (code !== 'EngineUnavailable') findings.push(warning(`host-${code}`, message, mend));
  }
  return findings;
}
