/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
#include <unistd.h>
static void oom(void){ (void)!write(2,"out of memory\n",14); _exit(101);}
void *xmalloc(size_t n){void*p=malloc(n?n:1); if(!p)oom(); return p;}
void *xcalloc(size_t n,size_t s){void*p=calloc(n?n:1,s?s:1); if(!p)oom(); return p;}
void *xrealloc(void*q,size_t n,size_t s){void*p=reallocarray(q,n?n:1,s); if(!p)oom(); return p;}
char *xstrdup(const char*s){char*p=strdup(s); if(!p)oom(); return p;}
char *xstrndup(const char*s,size_t n){char*p=strndup(s,n); if(!p)oom(); return p;}
bool str_copy(char*d,size_t z,const char*s){size_t l=strlen(s); size_t n=l<z?l:z-1; memcpy(d,s,n); d[n]=0; return l<z;}
void buf_init(struct buf*b,size_t m){memset(b,0,sizeof*b); b->max=m;}
void buf_free(struct buf*b){free(b->data); b->data=NULL; b->len=b->cap=0;}
void buf_reset(struct buf*b){b->len=0;b->overflow=false; if(b->data)b->data[0]=0;}
void buf_add(struct buf*b,const void*d,size_t n){ if(b->overflow)return; if(n>b->max-b->len){b->overflow=true;return;} if(b->len+n+1>b->cap){size_t c=b->cap?b->cap:64; while(c<b->len+n+1)c*=2; b->data=xrealloc(b->data,c,1); b->cap=c;} memcpy(b->data+b->len,d,n); b->len+=n; b->data[b->len]=0;}
void buf_add_str(struct buf*b,const char*s){buf_add(b,s,strlen(s));}
void buf_addf(struct buf*b,const char*f,...){va_list a; char*t=NULL; va_start(a,f); int n=vasprintf(&t,f,a); va_end(a); if(n<0)oom(); buf_add(b,t,(size_t)n); free(t);}
void buf_add_url(struct buf*b,const char*s){for(;*s;s++){unsigned char c=(unsigned char)*s; if((c<128&&isalnum(c))||strchr("-_.~",c))buf_add(b,s,1); else buf_addf(b,"%%%02X",c);}}
bool buf_overflowed(const struct buf*b){return b->overflow;}
const char*buf_str(const struct buf*b){return b->data?b->data:"";}
char*buf_take(struct buf*b){char*p=b->data?b->data:xstrdup(""); b->data=NULL;b->len=b->cap=0; return p;}
