export function ReasonsScreen() {
  return <h1>States and reasons</h1>;
}
