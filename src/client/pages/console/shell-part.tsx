// Owns the Shell part of the Console.

export function ShellPart() {
  return <section class="wide"><h2>Shell</h2></section>;
}
