#ifndef TSPROF_FLAMEGRAPH_FLAME_ASSETS_H
#define TSPROF_FLAMEGRAPH_FLAME_ASSETS_H

/*
 * flame_label.js, flame.js and flame.css as strings; the source is generated
 * from them by build-aux/embed.sh.  Plain ASCII, without "]]>".
 */
extern const char flame_label_script[];
extern const char flame_script[];
extern const char flame_style[];

#endif
