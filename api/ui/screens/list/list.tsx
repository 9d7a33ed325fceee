export function ListScreen() {
  return <h1>Programs</h1>;
}
