export function DeployScreen() {
  return <h1>Deploy</h1>;
}
