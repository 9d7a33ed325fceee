const END = `# The one folder a program may write to.
RUN mkdir -p /state && chown 1000:1000 /state
USER 1000:1000

# WatcherAPI port
EXPOSE 8080
`;

const GO = `FROM golang:1.24-alpine AS builder
WORKDIR /build
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -o program .

FROM alpine:latest
WORKDIR /app
COPY --from=builder /build/program /app/

${END}CMD ["/app/program"]
`;

/** Nobody has made a go.mod of it: it is made here, so that it builds at all. */
const GO_WITHOUT_MOD = GO.replace(
  'COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n',
  '# There is no go.mod: better run go mod init and go mod tidy, and send what they make.\nCOPY . .\nRUN go mod init program && go mod tidy\n',
);

const nodeOf = (main: string, hasPackage: boolean, hasLock: boolean) => `FROM node:20-slim
WORKDIR /app
${hasPackage ? `COPY package*.json ./\nRUN npm ${hasLock ? 'ci' : 'install'} --omit=dev\n` : ''}COPY . .

${END}CMD ["node", "${main}"]
`;

const pythonOf = (main: string, hasList: boolean) => `FROM python:3.12-slim
WORKDIR /app
${hasList ? 'COPY requirements.txt ./\nRUN pip install --no-cache-dir -r requirements.txt\n' : ''}COPY . .

${END}CMD ["python", "-u", "${main}"]
`;

const PLAIN = `FROM alpine:latest
WORKDIR /app
COPY . .

${END}CMD ["sh", "-c", "echo what runs here listens on 8080; exec sleep infinity"]
`;

/** Whether it is a program of Go that lacks what it is built by. */
export function isGoWithoutMod(names: readonly string[]): boolean {
  return !names.includes('go.mod') && names.some((name) => /^[^/]+\.go$/.test(name));
}

/** A Dockerfile to begin with, by what stands beside it: a start, and not more. @param names of the files */
export function firstDockerfile(names: readonly string[]): string {
  const has = (name: string) => names.includes(name);
  const main = (...wanted: string[]) =>
    wanted.find(has) ??
    names.find((name) =>
      wanted.some((one) => name.endsWith(one.replace(/^.*\./, '.')) && !name.includes('/')),
    );
  if (has('go.mod')) return GO;
  if (isGoWithoutMod(names)) return GO_WITHOUT_MOD;
  const script = main('main.mjs', 'index.mjs', 'main.js', 'index.js', 'server.js');
  if (script !== undefined || has('package.json'))
    return nodeOf(script ?? 'index.js', has('package.json'), has('package-lock.json'));
  const python = main('main.py', 'app.py', 'bot.py');
  if (python !== undefined || has('requirements.txt'))
    return pythonOf(python ?? 'main.py', has('requirements.txt'));
  return PLAIN;
}
