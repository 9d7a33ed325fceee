export function HostScreen() {
  return <h1>Host</h1>;
}
