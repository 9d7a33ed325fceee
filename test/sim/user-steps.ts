import type { ProgramView } from '../../api/program-answers.ts';
import { AppError } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { writeSource } from './file-steps.ts';
import type { SimHost } from './host.ts';
import { filesAtRest } from './pace.ts';
import { manifestOf, randomDockerfile, randomSpec, spoil } from './random-manifest.ts';
import { NAMES, type SimStage } from './sim-stage.ts';
import type { SimStep } from './sim-step.ts';

/** What users ask for through the API. */
export const USER_STEPS: SimStep[] = [
  { weight: 8, act: (stage) => call(stage, create) },
  { weight: 4, act: (stage) => edit(stage, 'start', { desiredState: 'Running' }) },
  { weight: 4, act: (stage) => edit(stage, 'stop', { desiredState: 'Stopped' }) },
  { weight: 3, act: (stage) => edit(stage, 'restart', { restartedAt: timestamp(stage.clock.now()) }) },
  { weight: 7, act: (stage) => call(stage, put) },
  { weight: 2, act: (stage) => call(stage, putInvalid) },
  { weight: 3, act: (stage) => call(stage, remove) },
  { weight: 3, act: (stage) => call(stage, rollBack) },
  { weight: 1, act: (stage) => call(stage, confirmPrune) },
];

/** What was asked, in words, and its answer. */
interface Call {
  words: string;
  answer: Promise<unknown>;
}

/** Makes a call and lets it come to its end; a refusal with a reason is an answer too. */
async function call(
  stage: SimStage,
  ask: (stage: SimStage, host: SimHost) => Promise<Call | undefined>,
): Promise<string> {
  const { host } = stage;
  if (host === undefined) return '';
  const asked = await ask(stage, host);
  if (asked === undefined) return '';
  let outcome = 'no answer yet';
  stage.openCalls += 1;
  const over = () => {
    stage.openCalls -= 1;
  };
  asked.answer.then(over, over);
  asked.answer.then(
    () => {
      outcome = 'done';
    },
    (error: unknown) => {
      outcome = error instanceof AppError ? error.reason : String(error);
      if (!(error instanceof AppError)) stage.violations.push(`${asked.words} failed: ${error}`);
    },
  );
  await filesAtRest();
  return `${asked.words}: ${outcome}`;
}

function anyProgram(stage: SimStage, host: SimHost): ProgramView | undefined {
  return stage.random.any(host.programs.list());
}

function edit(stage: SimStage, word: string, fields: Record<string, string>): Promise<string> {
  return call(stage, async (_, host) => {
    const program = anyProgram(stage, host);
    if (program === undefined) return undefined;
    const { name } = program;
    const inForce = host.registry.status.get(name)?.memory.program.inForce?.spec;
    const answer = host.programs
      .editSpec(name, fields)
      .then(() => stage.witness.asked(name, fields, inForce));
    return { words: `${word} ${name}`, answer };
  });
}

async function create(stage: SimStage, host: SimHost): Promise<Call> {
  const { programs } = host;
  const { random } = stage;
  const name = random.pick(NAMES);
  stage.version += 1;
  if (random.chance(0.3)) {
    const files = new Map([['Dockerfile', randomDockerfile(random, stage.version)]]);
    return { words: `POST ${name}`, answer: post(host, name, files) };
  }
  await writeSource(stage, name, randomDockerfile(random, stage.version));
  const text = manifestOf(name, randomSpec(random, name, stage.version));
  return { words: `create ${name} ${inLine(text)}`, answer: programs.putManifest(name, text, null) };
}

/** As the route does: of a name that is new, port and ledger come first. */
async function post(host: SimHost, name: string, files: Map<string, string>): Promise<void> {
  const { programs, reservations, registry } = host;
  const userId = `user-${name}`;
  const buildId = await programs.buildIdOf(files);
  const isNew = programs.get(name) === undefined && registry.status.get(name) === undefined;
  if (isNew) await reservations.reserve(name, userId, buildId);
  try {
    await programs.createFromSources(name, userId, buildId, files);
    if (isNew) reservations.fulfil(name);
  } catch (error) {
    if (isNew) await reservations.unreserve(name);
    throw error;
  }
}

async function put(stage: SimStage, host: SimHost): Promise<Call | undefined> {
  const program = anyProgram(stage, host);
  const etag = program && host.programs.manifest(program.name)?.etag;
  if (program === undefined || etag === undefined) return undefined;
  stage.version += 1;
  const { name } = program;
  const text = manifestOf(name, randomSpec(stage.random, name, stage.version));
  return { words: `put ${name} ${inLine(text)}`, answer: host.programs.putManifest(name, text, etag) };
}

async function putInvalid(stage: SimStage, host: SimHost): Promise<Call | undefined> {
  const program = anyProgram(stage, host);
  const manifest = program && host.programs.manifest(program.name);
  if (program === undefined || manifest === undefined) return undefined;
  const text = spoil(stage.random, program.name, manifest.text);
  const answer = host.programs.putManifest(program.name, text, manifest.etag);
  return { words: `put something bad for ${program.name}`, answer };
}

async function remove(stage: SimStage, host: SimHost): Promise<Call | undefined> {
  const program = anyProgram(stage, host);
  return program && { words: `delete ${program.name}`, answer: host.programs.remove(program.name) };
}

async function rollBack(stage: SimStage, host: SimHost): Promise<Call | undefined> {
  const program = anyProgram(stage, host);
  if (program === undefined) return undefined;
  const number = stage.random.chance(0.7) ? undefined : 1 + stage.random.below(4);
  const words = `roll ${program.name} back to ${number ?? 'the good one before'}`;
  return { words, answer: host.programs.rollBack(program.name, number) };
}

async function confirmPrune(stage: SimStage, host: SimHost): Promise<Call> {
  stage.pruning += 1;
  const over = () => {
    stage.pruning = Math.max(0, stage.pruning - 1);
  };
  return { words: 'confirm the prune', answer: host.programs.confirmPrune().finally(over) };
}

function inLine(manifest: string): string {
  return manifest.slice(manifest.indexOf('spec:')).replaceAll(/\s+/g, ' ').trim();
}
