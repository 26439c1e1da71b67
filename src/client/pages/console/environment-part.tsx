// Owns the Environment part of the Console.

export function EnvironmentPart() {
  return <section class="wide"><h2>Environment</h2></section>;
}
