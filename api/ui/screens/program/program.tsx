export function ProgramScreen({ name }: { name: string }) {
  return <h1>Program {name}</h1>;
}
