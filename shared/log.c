/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"
#include "buf.h"
#include "clock.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static const char*fn="onepool",*role; static enum log_level low=LOG_INFO;
void log_setup(const char*f,enum log_level l){fn=f;low=l;} void log_role(const char*r){role=r;}
const char*log_int(long long n){static char b[8][24]; static int i; i=(i+1)%8; snprintf(b[i],24,"%lld",n); return b[i];}
static void val(struct buf*b,const char*v){ if(strpbrk(v," \"=\n\r\t\\")||!*v){buf_add(b,"\"",1); for(;*v;v++){ if(*v=='"'||*v=='\\')buf_addf(b,"\\%c",*v); else if((unsigned char)*v<32)buf_addf(b,"\\x%02x",(unsigned char)*v); else buf_add(b,v,1);} buf_add(b,"\"",1);} else buf_add_str(b,v);}
void log_line(enum log_level l,const char*m,const struct log_pair*p,size_t n){ static const char*const names[]={"debug","info","warn","error","alarm"}; if(l<low)return; struct buf b; char t[CLOCK_TEXT_SIZE]; buf_init(&b,16384); clock_format(clock_wall_ms(),t); buf_addf(&b,"ts=%s level=%s fn=%s pid=%ld",t,names[l],fn,(long)getpid()); if(role)buf_addf(&b," role=%s",role); buf_add_str(&b," msg="); val(&b,m); for(size_t i=0;i<n;i++) if(p[i].value){buf_addf(&b," %s=",p[i].key); val(&b,p[i].value);} buf_add(&b,"\n",1); (void)!write(2,b.data,b.len); buf_free(&b);}
