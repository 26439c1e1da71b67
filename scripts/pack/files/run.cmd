@echo off
rem The continuous WebJob: the same agent as behind the page. One of the two observes, the other waits (data\DaaS\diag).
rem A free port of the loopback: the page needs none here, diag.cmd on the console of this machine does.
rem The platform copies this folder and runs the copy; the program stays where it was installed.
setlocal
set "PORT=0"
set "DIAG_AUTH=token"
node "%HOME%\SiteExtensions\AppServiceDiag\server.js"
exit /b %ERRORLEVEL%
