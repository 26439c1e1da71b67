@echo off
rem The continuous WebJob: the same agent as behind the page. One of the two observes, the other waits (data\DaaS\diag).
rem A free port of the loopback: the page needs none here, diag.cmd on the console of this machine does.
rem The platform copies this folder and runs the copy; the program stays where it was installed.
setlocal
set "PROGRAM=%HOME%\SiteExtensions\AppServiceDiag\server.js"
if not defined DIAG_LOOK_EVERY_MS set "DIAG_LOOK_EVERY_MS=30000"
set LOOKS=10
:look
if exist "%PROGRAM%" goto run
if %LOOKS% leq 0 goto gone
echo AppServiceDiag: %PROGRAM% is not there; an update takes it away for a while. %LOOKS% more looks, one each %DIAG_LOOK_EVERY_MS% ms.
set /a LOOKS-=1
rem Nothing else here waits: timeout wants a console, and ping is refused.
node -e "setTimeout(() => {}, Number(process.argv[1]))" %DIAG_LOOK_EVERY_MS%
goto look

:run
set "PORT=0"
set "DIAG_AUTH=token"
node "%PROGRAM%"
exit /b %ERRORLEVEL%

rem The platform starts whatever ends again, for ever: a WebJob of a package that is gone takes itself away.
:gone
echo AppServiceDiag: the package is gone without its uninstall.cmd, so this WebJob removes itself. Install the package anew, or run its install.cmd, to have it back.
if exist "%HOME%\site\jobs\continuous\AppServiceDiag" rmdir /s /q "%HOME%\site\jobs\continuous\AppServiceDiag"
exit /b 0
