/*
 * core/surfacestyle.h - the style sheet of the page surfacehtml.c writes: surface.css,
 * made into C by the build. Pure.
 */
#pragma once

extern const char pst_surface_style[];
