// Owns the Files part of the Console.

export function FilesPart() {
  return <section class="wide"><h2>Files</h2></section>;
}
