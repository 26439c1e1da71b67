// Owns the NuGet package around the content: the parts that the conventions of OPC want, and the nuspec by which the platform knows a site extension.
import { createHash } from 'node:crypto';
import type { Entry } from './zip.ts';

export const ID = 'AppServiceDiag';
const TITLE = 'App Service Diagnostics';
const TAGS = 'AzureSiteExtension diagnostics 502 503';
const ABOUT = 'Finds out why the web app answers 502 and 503: live metrics, logs and processes, and a diagnosis that names the cause. Mounted as /diag of the SCM site.';

const TYPES: Readonly<Record<string, string>> = {
  rels: 'application/vnd.openxmlformats-package.relationships+xml', psmdcp: 'application/vnd.openxmlformats-package.core-properties+xml',
};

/** content: what is installed, without its `content/`. */
export function nupkgOf(version: string, content: readonly Entry[]): Entry[] {
  const text = (name: string, body: string): Entry => ({ name, content: Buffer.from(body) });
  const properties = `package/services/metadata/core-properties/${createHash('sha256').update(`${ID} ${version}`).digest('hex').slice(0, 32)}.psmdcp`;
  const parts = [
    text('_rels/.rels', relationships(`${ID}.nuspec`, properties)),
    text(`${ID}.nuspec`, nuspec(version)),
    text(properties, coreProperties(version)),
    ...content.map(({ name, content: body }) => ({ name: `content/${name}`, content: body })),
  ];
  return [text('[Content_Types].xml', contentTypes(parts.map(({ name }) => name))), ...parts];
}

function nuspec(version: string): string {
  // The oldest schema that every client since knows; packageTypes came later, and older clients read over it.
  return `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>${ID}</id>
    <version>${version}</version>
    <title>${TITLE}</title>
    <authors>${TITLE}</authors>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <description>${ABOUT}</description>
    <tags>${TAGS}</tags>
    <packageTypes>
      <packageType name="AzureSiteExtension" />
    </packageTypes>
  </metadata>
</package>
`;
}

function relationships(manifest: string, properties: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/${manifest}" Id="R0" />
  <Relationship Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="/${properties}" Id="R1" />
</Relationships>
`;
}

function coreProperties(version: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<coreProperties xmlns="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <dc:creator>${TITLE}</dc:creator>
  <dc:description>${ABOUT}</dc:description>
  <dc:identifier>${ID}</dc:identifier>
  <version>${version}</version>
  <keywords>${TAGS}</keywords>
</coreProperties>
`;
}

/** A default for each ending; a part without one is named. */
function contentTypes(names: readonly string[]): string {
  const endingOf = (name: string): string | undefined => /[^/.][^/]*\.([^./]+)$|^_rels\/\.(rels)$/.exec(name)?.slice(1).find(Boolean)?.toLowerCase();
  const endings = [...new Set(names.flatMap((name) => endingOf(name) ?? []))].sort();
  const bare = names.filter((name) => endingOf(name) === undefined).sort();
  const lines = [
    ...endings.map((ending) => `  <Default Extension="${ending}" ContentType="${TYPES[ending] ?? 'application/octet'}" />`),
    ...bare.map((name) => `  <Override PartName="/${name}" ContentType="application/octet" />`),
  ];
  return `<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\n${lines.join('\n')}\n</Types>\n`;
}
