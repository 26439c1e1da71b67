// Owns web.config files as they lie on real sites, written for these tests: every shape that an editor by position may stumble over.

export interface CorpusFile { readonly name: string; readonly bytes: Uint8Array }

const lf = (text: string): string => text.replace(/^\n/, '');
const crlf = (text: string): string => lf(text).replace(/\n/g, '\r\n');
const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const marked = (text: string): Uint8Array => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text, 'utf8')]);
const utf16 = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, 'utf16le');

const IISNODE = `
<?xml version="1.0" encoding="utf-8"?>
<!--
     This configuration file is required if iisnode is used -- no: - - is not allowed here
-->
<configuration>
  <system.webServer>
    <webSocket enabled="false" />
    <handlers>
      <add name="iisnode" path="server.js" verb="*" modules="iisnode"/>
    </handlers>
    <rewrite>
      <rules>
        <!-- Do not interfere with requests for node-inspector debugging -->
        <rule name="NodeInspector" patternSyntax="ECMAScript" stopProcessing="true">
          <match url="^server.js\\/debug[\\/]?" />
        </rule>
        <rule name="DynamicContent">
          <conditions>
            <add input="{REQUEST_FILENAME}" matchType="IsFile" negate="True"/>
          </conditions>
          <action type="Rewrite" url="server.js"/>
        </rule>
      </rules>
    </rewrite>
    <iisnode watchedFiles="web.config;*.js" devErrorsEnabled="false" />
  </system.webServer>
</configuration>
`.replace(' -- no: - - is not allowed here', ' on the site');

const CORE = `
<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <location path="." inheritInChildApplications="false">
    <system.webServer>
      <handlers>
        <add name="aspNetCore" path="*" verb="*" modules="AspNetCoreModuleV2" resourceType="Unspecified" />
      </handlers>
      <aspNetCore processPath="dotnet" arguments=".\\Shop.dll" stdoutLogEnabled="false" stdoutLogFile="\\\\?\\%home%\\LogFiles\\stdout" hostingModel="inprocess" />
    </system.webServer>
  </location>
</configuration>
<!--ProjectGuid: 6f2c0c36-5a86-4f1e-a70c-4f3f5ad0f8aa-->`;

const OLD_ASP_NET = `
<?xml version="1.0"?>
<!-- For more information on how to configure your application, visit a page -->
<configuration xmlns="http://schemas.microsoft.com/.NetConfiguration/v2.0">
\t<configSections>
\t\t<section name="entityFramework" type="System.Data.Entity.Internal.ConfigFile.EntityFrameworkSection, EntityFramework" requirePermission="false" />
\t</configSections>
\t<appSettings file="secrets.config">
\t\t<add key="title" value="Tom &amp; Jerry&#x27;s &lt;shop&gt;"/>
\t\t<add key="multi" value="a
b\tc"/>
\t</appSettings>
\t<connectionStrings configSource="connections.config"/>
\t<system.web>
\t\t<compilation debug="true" targetFramework="4.8"/>
\t</system.web>
\t<system.webServer>
\t\t<modules runAllManagedModulesForAllRequests="true"/>
\t</system.webServer>
\t<runtime>
\t\t<assemblyBinding xmlns="urn:schemas-microsoft-com:asm.v1">
\t\t\t<dependentAssembly>
\t\t\t\t<assemblyIdentity name="Newtonsoft.Json" publicKeyToken="30ad4fe6b2a6aeed"/>
\t\t\t\t<bindingRedirect oldVersion="0.0.0.0-13.0.0.0" newVersion="13.0.0.0"/>
\t\t\t</dependentAssembly>
\t\t</assemblyBinding>
\t</runtime>
</configuration>
`;

const FULL = `
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <system.webServer>
        <monitoring>
            <!-- what wakes us at three -->
            <triggers>
                <requests count="1000" timeInterval="00:10:00"/>
                <!-- slow ones -->
                <slowRequests timeTaken="00:00:45" count="20" timeInterval="00:02:00" />
                <memory privateBytesInKB="800000"/>
                <statusCode>
                    <add statusCode="500" subStatusCode="100" win32StatusCode="0" count="10" timeInterval="00:00:30"/>
                    <!-- the gateway -->
                    <add statusCode="502" subStatusCode="3" win32StatusCode="12002" count="5" timeInterval="00:01:00"/>
                </statusCode>
            </triggers>
            <actions value="CustomAction">
                <customAction exe="d:\\home\\procdump.exe" parameters="-accepteula w3wp d:\\home\\w3wp_PID_%1%_ &quot;a b&quot;" />
            </actions>
        </monitoring>
        <httpErrors errorMode="Detailed"/>
    </system.webServer>
</configuration>
`;

const monitoringIn = (monitoring: string): string => `<?xml version="1.0"?>\n<configuration>\n  <system.webServer>\n${monitoring}\n  </system.webServer>\n</configuration>\n`;

export const corpus: readonly CorpusFile[] = [
  { name: 'iisnode, LF', bytes: utf8(lf(IISNODE)) },
  { name: 'iisnode, CRLF and BOM', bytes: marked(crlf(IISNODE)) },
  { name: 'ASP.NET Core in a location', bytes: utf8(lf(CORE)) },
  { name: 'ASP.NET Core, CRLF, BOM, no last line end', bytes: marked(crlf(CORE)) },
  { name: 'old ASP.NET with tabs, namespace, configSource, references', bytes: utf8(lf(OLD_ASP_NET)) },
  { name: 'old ASP.NET, CRLF', bytes: utf8(crlf(OLD_ASP_NET)) },
  { name: 'all triggers, four spaces', bytes: utf8(lf(FULL)) },
  { name: 'all triggers, CRLF, BOM', bytes: marked(crlf(FULL)) },
  { name: 'UTF-16 little endian', bytes: utf16(crlf(FULL).replace('UTF-8', 'utf-16').replace('three', 'dreißig, 三時')) },
  { name: 'UTF-16 big endian', bytes: Buffer.from(utf16(crlf(IISNODE).replace('utf-8', 'UTF-16'))).swap16() },
  { name: 'windows-1252', bytes: Buffer.from(lf(FULL).replace('UTF-8', 'Windows-1252').replace('three', 'dr\u00fc\u0080\u0093'), 'latin1') },
  { name: 'iso-8859-1', bytes: Buffer.from(lf(IISNODE).replace('utf-8', 'iso-8859-1').replace('on the site', 'für die Seite'), 'latin1') },
  { name: 'one line', bytes: utf8('<?xml version="1.0"?><configuration><system.webServer><handlers><add name="x" path="*" verb="*"/></handlers></system.webServer></configuration>') },
  { name: 'one line with monitoring', bytes: utf8('<configuration><system.webServer><monitoring><triggers><requests count="5" timeInterval="00:00:30"/></triggers><actions value="Recycle"/></monitoring></system.webServer></configuration>') },
  { name: 'empty configuration', bytes: utf8('<configuration></configuration>\n') },
  { name: 'self-closing configuration', bytes: utf8('<?xml version="1.0" encoding="utf-8" ?>\r\n<configuration />\r\n') },
  { name: 'self-closing system.webServer', bytes: utf8('<configuration>\n\t<system.webServer />\n</configuration>') },
  { name: 'self-closing triggers', bytes: utf8(monitoringIn('    <monitoring>\n      <triggers/>\n      <actions value="Recycle"/>\n    </monitoring>')) },
  { name: 'actions before triggers, odd indentation', bytes: utf8(monitoringIn('      <monitoring>\n <actions   value = \'LogEvent\' />\n          <triggers>\n    <memory\n       privateBytesInKB="819200"   />\n   </triggers></monitoring>')) },
  { name: 'monitoring without triggers', bytes: utf8(monitoringIn('    <monitoring>\n      <actions value="Recycle"/>\n    </monitoring>')) },
  { name: 'attributes on lines of their own', bytes: utf8(monitoringIn('    <monitoring>\n      <triggers>\n        <slowRequests timeTaken="00:00:30"\n                      count="50"\n                      timeInterval="00:02:00" />\n      </triggers>\n      <actions value="Recycle"></actions>\n    </monitoring>')) },
  { name: 'what is not documented stays', bytes: utf8(monitoringIn('    <monitoring lockItem="true">\n      <triggers>\n        <request count="5" timeInterval="00:00:30"/>\n        <privateBytesInKB>1500000</privateBytesInKB>\n        <slowRequests count="x"/>\n        <statusCode><clear/><add statusCode="503" count="3" timeInterval="00:05:00"/></statusCode>\n      </triggers>\n      <actions value="Recycle" minProcessExecutionTime="00:10:00"/>\n    </monitoring>')) },
  { name: 'encrypted sections', bytes: utf8(crlf('<configuration>\n  <connectionStrings configProtectionProvider="RsaProtectedConfigurationProvider">\n    <EncryptedData Type="http://www.w3.org/2001/04/xmlenc#Element" xmlns="http://www.w3.org/2001/04/xmlenc#">\n      <EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#tripledes-cbc" />\n      <CipherData>\n        <CipherValue>m9Xk+/0a==</CipherValue>\n      </CipherData>\n    </EncryptedData>\n  </connectionStrings>\n  <system.webServer>\n  </system.webServer>\n</configuration>\n')) },
  { name: 'CDATA, processing instructions, comments everywhere', bytes: utf8('<?xml version="1.0" standalone="yes"?>\n<?xml-stylesheet href="x.xsl"?>\n<!-- <monitoring> --><configuration><!-- <system.webServer> -->\n  <custom><![CDATA[ <system.webServer><monitoring/></system.webServer> ]]></custom>\n  <?pi <monitoring/> ?>\n  <system.webServer> <!-- before --> <httpProtocol/> <!-- after -->\n  </system.webServer><!-- end -->\n</configuration><!-- last -->\n\n') },
  { name: 'locations with own monitoring', bytes: utf8('<configuration>\n  <location path="admin">\n    <system.webServer>\n      <monitoring><triggers><requests count="9" timeInterval="00:01:00"/></triggers></monitoring>\n    </system.webServer>\n  </location>\n  <system.webServer>\n    <staticContent/>\n  </system.webServer>\n</configuration>\n') },
  { name: 'monitoring in location "."', bytes: utf8('<configuration>\n  <location path=".">\n    <system.webServer>\n      <monitoring>\n        <triggers>\n          <requests count="9" timeInterval="00:01:00"/>\n        </triggers>\n        <actions value="Recycle"/>\n      </monitoring>\n    </system.webServer>\n  </location>\n</configuration>\n') },
  { name: 'mixed line ends and trailing blanks', bytes: utf8('<configuration>  \r\n  <system.webServer>\t\n    <urlCompression/>\r\n\r\n   \n  </system.webServer>   \r\n</configuration>   ') },
  { name: 'old Mac line ends', bytes: utf8('<configuration>\r  <system.webServer>\r    <urlCompression/>\r  </system.webServer>\r</configuration>\r') },
  { name: 'prefix namespaces and a transform', bytes: utf8('<?xml version="1.0"?>\n<configuration xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform">\n    <system.webServer>\n        <monitoring xdt:Transform="Insert">\n            <triggers>\n            </triggers>\n            <actions value="Recycle"/>\n        </monitoring>\n    </system.webServer>\n</configuration>\n') },
  { name: 'two system.webServer', bytes: utf8('<configuration>\n <system.webServer>\n  <a/>\n </system.webServer>\n <system.webServer>\n  <monitoring><actions value="LogEvent"/><triggers><memory privateBytesInKB="500000"/></triggers></monitoring>\n </system.webServer>\n</configuration>\n') },
  { name: 'large with thousands of rewrite rules', bytes: utf8(`<configuration>\n  <system.webServer>\n    <rewrite>\n      <rewriteMaps>\n        <rewriteMap name="old">\n${Array.from({ length: 2_000 }, (_, i) => `          <add key="/old/${i}?a=1&amp;b=2" value="/new/${i}" />`).join('\n')}\n        </rewriteMap>\n      </rewriteMaps>\n    </rewrite>\n  </system.webServer>\n</configuration>\n`) },
];

/** Files that are refused, and why. */
export const refused: readonly (CorpusFile & { readonly why: RegExp })[] = [
  { name: 'no XML', bytes: utf8('Not Found'), why: /text stands outside/ },
  { name: 'nothing', bytes: utf8(''), why: /no element/ },
  { name: 'torn', bytes: utf8('<configuration>\n  <system.webServer>\n'), why: /system\.webServer of line 2 is not closed/ },
  { name: 'crossed', bytes: utf8('<configuration><a></configuration></a>'), why: /closes a of line 1/ },
  { name: 'two roots', bytes: utf8('<configuration/><configuration/>'), why: /second root/ },
  { name: 'another root', bytes: utf8('<packages/>'), why: /root is packages/ },
  { name: 'white space before the declaration', bytes: utf8('\n<?xml version="1.0"?><configuration/>'), why: /very beginning/ },
  { name: 'document type', bytes: utf8('<!DOCTYPE configuration [<!ENTITY a "b">]><configuration/>'), why: /document type/ },
  { name: 'unknown entity', bytes: utf8('<configuration a="&nbsp;"/>'), why: /reference/ },
  { name: 'bare ampersand', bytes: utf8('<configuration><a b="x&y"/></configuration>'), why: /reference/ },
  { name: 'attribute twice', bytes: utf8('<configuration><a b="1" b="2"/></configuration>'), why: /twice/ },
  { name: 'attribute twice by namespace', bytes: utf8('<configuration xmlns:a="u" xmlns:b="u"><x a:y="1" b:y="2"/></configuration>'), why: /duplicate/i },
  { name: 'prefix without a namespace', bytes: utf8('<configuration><xdt:a/></configuration>'), why: /namespace|unbound/i },
  { name: 'comment with --', bytes: utf8('<configuration><!-- a -- b --></configuration>'), why: /comment holds --/ },
  { name: 'declares UTF-16 in UTF-8', bytes: utf8('<?xml version="1.0" encoding="utf-16"?>\n<configuration/>'), why: /declares UTF-16/ },
  { name: 'mark against declaration', bytes: marked('<?xml version="1.0" encoding="iso-8859-1"?>\n<configuration/>'), why: /byte-order mark says utf-8/ },
  { name: 'UTF-16 without a mark', bytes: Buffer.from('<configuration/>', 'utf16le'), why: /without a byte-order mark/ },
  { name: 'no UTF-8', bytes: Buffer.concat([utf8('<configuration a="'), Buffer.from([0xff, 0xfe]), utf8('"/>')]), why: /not utf-8/ },
  { name: 'unknown encoding', bytes: utf8('<?xml version="1.0" encoding="shift_jis"?><configuration/>'), why: /shift_jis/ },
  { name: 'control character', bytes: utf8('<configuration a="\u0001"/>'), why: /U\+0001/ },
  { name: 'monitoring in another file', bytes: utf8('<configuration><system.webServer><monitoring configSource="monitoring.config"/></system.webServer></configuration>'), why: /another file: monitoring\.config/ },
  { name: 'monitoring encrypted', bytes: utf8('<configuration><system.webServer><monitoring configProtectionProvider="p"><EncryptedData/></monitoring></system.webServer></configuration>'), why: /encrypted/ },
  { name: 'monitoring twice', bytes: utf8('<configuration><system.webServer><monitoring/></system.webServer><location><system.webServer><monitoring/></system.webServer></location></configuration>'), why: /second monitoring/ },
  { name: 'actions twice', bytes: utf8('<configuration><system.webServer><monitoring><actions value="Recycle"/><actions value="LogEvent"/></monitoring></system.webServer></configuration>'), why: /second actions/ },
  { name: 'too deep', bytes: utf8(`<configuration>${'<a>'.repeat(300)}${'</a>'.repeat(300)}</configuration>`), why: /deeper/ },
];
