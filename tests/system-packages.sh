#!/bin/sh
# Debian packages the tests need: programs that make PDFs, browsers, fonts for the pages, libraries.
# Of browsers, the headless shell is the one that docs/web.md recommends; the tests show that the whole browser does the same.
set -eu

programs="certutil chromium chromium-headless-shell groff gs libreoffice pdftotext prlimit setpriv strace"
packages="chromium chromium-headless-shell fonts-liberation fonts-noto-cjk fonts-noto-core ghostscript groff libnss3-tools libreoffice-impress libreoffice-writer poppler-utils strace util-linux"
# For OCR: a varied set of faces (12 MB), what shapes Arabic, and what OpenCV is linked to.
packages="$packages fonts-arphic-gkai00mp fonts-breip fonts-comic-neue fonts-crosextra-caladea fonts-crosextra-carlito fonts-dancingscript
fonts-dkg-handwriting fonts-ebgaramond fonts-femkeklaver fonts-hosny-amiri fonts-inconsolata fonts-kaushanscript fonts-kristi fonts-lato
fonts-lobster fonts-lohit-deva fonts-oldstandard fonts-open-sans fonts-sjfonts fonts-thai-tlwg fonts-wqy-microhei libfribidi0 libgl1 libglib2.0-0"
# Playwright's Node.js is linked to libatomic; charts by Vega-Lite are drawn in DejaVu, which matplotlib has for itself alone.
packages="$packages fonts-dejavu-core libatomic1"
libraries="libatomic.so.1 libfribidi.so.0 libGL.so.1 libglib-2.0.so.0"

missing=""
for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
for library in $libraries; do
    /sbin/ldconfig -p | grep -q "$library" || missing="$missing $library"
done
for font in "DejaVu Sans" "Noto Serif CJK SC" "Noto Sans Arabic" "Liberation Serif" "Lato" "Dancing Script" "AR PL KaitiM GB" "Loma"; do
    fc-list "$font" 2>/dev/null | grep -q . || missing="$missing font:$(echo $font | tr " " _)"
done
[ -n "$missing" ] || exit 0

echo "installing system packages for the tests (missing:$missing)"
if [ "$(id -u)" = 0 ]; then
    run=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    run="sudo"
else
    echo "error: these need an administrator; ask one to run: apt-get install $packages" >&2
    exit 1
fi
command -v apt-get >/dev/null || { echo "error: no apt-get here; install what gives:$missing" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
# shellcheck disable=SC2086
$run apt-get install -qq -y --no-install-recommends $packages >/dev/null
